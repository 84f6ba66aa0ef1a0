import type { Behaviour } from './behaviour.ts'

/** `4 s`, `1.5 min`, as one tells it. */
export function timeWords(ms: number): string {
  if (ms < 950) return `${Math.max(1, Math.round(ms))} ms`
  const seconds = ms / 1_000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 100) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

const times = (n: number): string => (n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`)

/**
 * What is known of a command, for a person: `seen 3 times on 2 of your devices: took 42 s, wrote 3 files`. What only shells ran was not
 * seen: `run on your devices: took 42 s`.
 *
 * @param took  ms, where it is known for the folder in question
 * @param isSame  the program has the very bytes that were seen
 */
export function behaviourWords(known: Behaviour, took: number | undefined, isSame: boolean): string {
  const { devices, ports, files, listened, terminal, input, well, badly } = known
  const facts = [
    took !== undefined && `took ${timeWords(took)}`,
    listened > 0 && `listened${ports.length > 0 ? ` on port ${ports.join(', ')}` : ''}`,
    terminal > 0 && 'read its terminal',
    input > 0 && 'waited for its input',
    files !== undefined && files > 0 && `wrote ${files === 1 ? '1 file' : `${files} files`}`,
    badly > 0 && (well === 0 ? 'never ended well' : `ended badly ${times(badly)}`),
  ].filter((fact) => fact !== false)
  const where = devices.length > 1 ? `${devices.length} of your devices` : 'your devices'
  const said = `${known.times > 0 ? `seen ${times(known.times)}` : 'run'} on ${where}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`
  if (isSame) return said
  if (known.on !== undefined) return `${said} (as another device says it ran there)`
  return `${said} (${known.id === undefined ? `by its name, of whichever ${known.name} ran` : `as another version of ${known.name}`})`
}
