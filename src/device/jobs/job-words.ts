/** What a job's card and the command line say of how it stands, for people. */

/** Why a job that runs stands still until somebody types (rule JB88). */
export const WAITS_FOR = {
  input: 'It reads its standard input and waits for it',
  terminal: 'It reads a terminal and waits for a key; run it in a terminal to type into it',
} as const

const ENDED: Readonly<Record<string, string>> = {
  grant: 'no longer allows this device to run jobs',
  stopped: 'ended it: its owner stopped it there',
  memory: 'ended it: it took more memory than it may there',
  disk: 'ended it: the disk there was nearly full',
  cancelled: 'ended it',
  'node failed': 'ended it: its node was lost',
  requeued: 'put it back into its queue, or lost its node. It is not begun again there, since it may not be done twice; run it again',
}
/** @param name  of the device that ended it */
export const endedWords = (ended: string, name: string): string => `${name} ${ENDED[ended] ?? `ended it (${ended})`}`

export const awayWords = (name: string, goesOnElsewhere: boolean): string =>
  goesOnElsewhere
    ? `${name} is not linked; when it has certainly ended there, it is tried elsewhere`
    : `${name} is not linked; it goes on when ${name} is back, or run it again`

export const engineAwayWords = (name: string): string =>
  `${name} does not answer; the job goes on there, and is followed again when it does`
