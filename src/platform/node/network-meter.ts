import { execFile } from 'node:child_process'

/** An answer is believed this long. */
const BELIEVED_MS = 30_000
const PATIENCE_MS = 2_000
/** NetworkManager's own words for "yes" and "as far as I can guess". */
const METERED = new Set(['u 1', 'u 3'])
const QUESTION = ['--system', 'get-property', 'org.freedesktop.NetworkManager', '/org/freedesktop/NetworkManager']

const askNetworkManager = (): Promise<string> =>
  new Promise((resolve) => {
    const question = [...QUESTION, 'org.freedesktop.NetworkManager', 'Metered']
    // Its working folder is the root: a spawn from our own mount would wait for us.
    execFile('busctl', question, { cwd: '/', timeout: PATIENCE_MS }, (error, stdout) => resolve(error ? '' : stdout.trim()))
  })

/** Whether bytes on this machine's network cost, as NetworkManager says; where it is not there nobody knows, and they do not. */
export function networkMeter(ask: () => Promise<string> = askNetworkManager, nowMs: () => number = () => performance.now()) {
  let last: { readonly atMs: number; readonly answer: Promise<boolean> } | undefined
  return (): Promise<boolean> => {
    if (!last || nowMs() - last.atMs > BELIEVED_MS) last = { atMs: nowMs(), answer: ask().then((said) => METERED.has(said)) }
    return last.answer
  }
}
