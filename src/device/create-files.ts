import type { Disposable } from '../base/disposable.ts'
import type { Logger } from '../base/logger.ts'
import type { HomeDisk } from '../files/home-disk.ts'
import { serveFiles } from '../files/serve-files.ts'
import type { Transport } from '../rpc/channel.ts'

/** The inside of a files process. It has its own loop, so that a slow disk never blocks links or terminals. */
export function createFiles({ disk, log }: { readonly disk: HomeDisk; readonly log: Logger }): { serve(transport: Transport): Disposable } {
  return { serve: (transport) => serveFiles(disk, transport, log) }
}
