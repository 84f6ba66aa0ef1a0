import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Vault } from '../../identity/vault.ts'
import type { Replica } from '../../sync/replica.ts'
import { authorityNotice, VOTE_NOTICE, voteNotice } from '../trust/authority-notice.ts'
import type { Notices } from '../notices.ts'
import type { OpenDesk } from './open-desk.ts'

/** Watches an open desk for what its person should know, and says it in the same words everywhere. */
export function watchDesk(desk: OpenDesk, vault: Vault, notices: Notices, log: Logger): Disposable {
  const owned = new DisposableStore()
  const { documents, sync, devices, context } = desk
  const self = context.signer.device

  let failing: string | undefined
  owned.add(
    documents.onDidFailToKeep(({ code, message }) => {
      if (failing !== undefined && failing !== code) notices.takeBack(failing)
      failing = code
      notices.put({ code, message, severity: 'error' })
    }),
  )
  const watchReplica = (replica: Replica) => {
    owned.add(
      replica.onDidAppend(() => {
        if (failing === undefined || documents.all().some(({ pendingBytes }) => pendingBytes > 0)) return
        notices.takeBack(failing) // there is room again, and nothing of what piled up is only in memory
        failing = undefined
      }),
    )
  }
  for (const replica of documents.all()) watchReplica(replica)
  owned.add(documents.onDidOpen(watchReplica))

  owned.add(
    documents.onDidDrop(({ unseen }) => {
      if (unseen)
        notices.notify(
          'document/dropped',
          'warn',
          'A text was closed elsewhere',
          'It had changes from this device that the other had not seen.',
        )
    }),
  )
  owned.add(
    sync.onDidMeetOtherProtocol(({ peer, message }) => {
      const name = devices.devices.get(peer)?.name ?? peer.slice(0, 12)
      notices.put({
        code: 'sync/other-protocol',
        severity: 'warn',
        message: `${name} cannot exchange changes with this device: ${message}`,
      })
    }),
  )

  owned.add(devices.onDidReport((report) => notices.put(authorityNotice(report, devices))))

  const followList = () => {
    const own = devices.devices.get(self)
    const vote = voteNotice(devices, self)
    if (vote) notices.put(vote)
    else notices.takeBack(VOTE_NOTICE)
    if (own && vault.label && own.name !== vault.label.deviceName) {
      vault
        .rename({ deviceName: own.name })
        .catch((error) => log.warn('the new name of this device was not kept', { error: errorMessage(error) }))
    }
  }
  owned.add(devices.onDidChange(followList))
  followList()
  return owned
}
