import type { Disposable } from '../../base/disposable.ts'
import { DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { exciseDocuments } from '../../sync/excision.ts'
import type { Notices } from '../notices.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

export const NOT_EXCISED = 'sync/not-excised'

export interface CutWatchOptions {
  readonly desk: Pick<OpenDesk, 'devices' | 'documents' | 'context'>
  readonly notices: Notices
  readonly log: Logger
  /** Opens the desk anew; displays that are open go on. */
  readonly renew: () => Promise<void>
}

/**
 * Follows removals: where one says that less of a device counts than was taken in here, the documents are made again without
 * it, and the desk opened on them (rule DV43).
 */
export function watchCuts({ desk, notices, log, renew }: CutWatchOptions): Disposable {
  const owned = new DisposableStore()
  let isDue = false
  const check = () => {
    if (isDue) return
    isDue = true
    queueMicrotask(() => {
      isDue = false
      if (owned.isDisposed) return
      const { rebuilt, left } = exciseDocuments(desk.context, desk.documents)
      if (left.length > 0) {
        log.warn('what a removed device did could not all be taken out: the log does not reach back so far', { documents: left })
        const message =
          'Something that a removed device did after its removal is still in your desk here: this device no longer has what was before it. Look at the windows it changed.'
        notices.put({ code: NOT_EXCISED, severity: 'warn', message })
      }
      if (rebuilt.length === 0) return
      log.info('made documents again without what a removed device did', { documents: rebuilt })
      renew().catch((error: unknown) => log.error('the desk could not be opened again', { error, why: errorMessage(error) }))
    })
  }
  owned.add(desk.devices.onDidChange(check))
  check()
  return owned
}
