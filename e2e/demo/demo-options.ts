/** What `npm run demo` asks for. */
export interface DemoOptions {
  /** Where the PNGs go. */
  readonly folder: string
  /** Stay until interrupted, with URLs to open. */
  readonly keep: boolean
  /** With `keep`: fires when somebody wants new URLs, because each works once and for two minutes. Absent: nobody can ask. */
  readonly onDidAskAgain?: (listener: () => void) => void
  /** Resolves when everything shall end now, e.g. on Ctrl-C. */
  readonly interrupted: Promise<void>
  readonly namespaces: boolean
  readonly jsonFile: string | undefined
  readonly say: (line: string) => void
}
