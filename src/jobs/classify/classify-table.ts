import { classify, type ClassifyContext } from './classify.ts'

/** Columns read by name, in any order; others are ignored. `command` must be there. */
const COLUMNS = ['id', 'kind', 'name', 'command', 'context'] as const

/**
 * A table of lines (tab-separated, with a head) to `id, label, confidence, reason` (rule JB26), a line at a time, so that a
 * table of any length is read in the memory of one line.
 *
 * @throws TypeError  the head names no column `command`
 */
export class ClassifyTable {
  #columns: readonly number[] | undefined

  /** The answer to one line of the table; undefined for its head and for empty lines. */
  read(line: string): string | undefined {
    const cells = line.replace(/\r$/, '').split('\t')
    if (!this.#columns) {
      this.#columns = COLUMNS.map((name) => cells.indexOf(name))
      if (this.#columns[3] === -1)
        throw new TypeError('the table has no column "command"; it needs a head: id, kind, name, command, context')
      return undefined
    }
    if (line.trim() === '') return undefined
    const [id = '', , name = '', command = '', context = ''] = this.#columns.map((at) => cells[at] ?? '')
    const { label, confidence, reason } = classify(command, { ...(name !== '' && { name }), ...readContext(context) })
    return [id, label, confidence.toFixed(2), reason].join('\t')
  }
}

const DOCKERFILE = /^(?:FROM|EXPOSE|CMD|ENTRYPOINT|RUN|ENV|WORKDIR|USER|VOLUME)\s/i

/** `name=line ; name=line` are scripts; `EXPOSE 80 ; CMD ["x"]` are a Dockerfile. */
export function readContext(text: string): Pick<ClassifyContext, 'scripts' | 'files'> {
  const scripts: Record<string, string> = Object.create(null)
  const dockerfile: string[] = []
  for (const part of text.split(/ ; |\\n|\n/)) {
    const trimmed = part.trim()
    const equals = trimmed.indexOf('=')
    if (DOCKERFILE.test(trimmed)) dockerfile.push(trimmed)
    else if (equals > 0) scripts[trimmed.slice(0, equals)] = trimmed.slice(equals + 1)
  }
  return { scripts, ...(dockerfile.length > 0 && { files: { dockerfile: dockerfile.join('\n') } }) }
}
