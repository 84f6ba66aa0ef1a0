/** One command of `elsewhere`. */
export interface Command {
  /** One line in the list of commands. */
  readonly summary: string
  /** What `--help` prints. */
  readonly help: string
  /** Resolves with the exit code. @throws TypeError  wrong usage; anything with a stable code: it could not be done */
  run(args: readonly string[]): Promise<number>
}
