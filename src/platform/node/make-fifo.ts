import { createRequire } from 'node:module'
import type koffiModule from 'koffi'

let mkfifo: ((path: string, mode: number) => number) | undefined

/**
 * Makes a FIFO for this account alone (0600), which Node has no call for. Loads the foreign function library when first called.
 *
 * @throws Error  the system did not make it
 */
export function makeFifo(path: string): void {
  if (!mkfifo) {
    const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule
    mkfifo = koffi.load(null).func('int mkfifo(const char *path, unsigned int mode)') as unknown as NonNullable<typeof mkfifo>
  }
  if (mkfifo(path, 0o600) !== 0) throw new Error(`the system did not make a FIFO at ${path}`)
}
