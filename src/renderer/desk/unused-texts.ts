import { type Disposable, toDisposable } from '../../base/disposable.ts'
import type { SessionState } from '../../session/session-state.ts'
import { textDocsInUse } from '../../session/text-buffer.ts'
import { useDesk } from './desk-store.ts'
import { useDoor } from './door-store.ts'

/** Texts that were in use before a change and are not after it: saved, or closed so long ago that nothing brings them back. */
export function droppedTexts(before: SessionState, after: SessionState): readonly string[] {
  if (before.tabs === after.tabs && before.closed === after.closed && before.undo === after.undo) return []
  const inUse = textDocsInUse(after)
  return [...textDocsInUse(before)].filter((doc) => !inUse.has(doc))
}

/** Tells the device to drop such texts (session rule SE80). Every display that is there may say it; it does no harm twice. */
export function followUnusedTexts(): Disposable {
  return toDisposable(
    useDesk.subscribe(({ session }, { session: before }) => {
      if (!session || !before || session === before) return
      for (const doc of droppedTexts(before, session)) {
        // Unreachable now: it stays, unused, and costs only its space.
        useDoor
          .getState()
          .client?.dropText({ doc })
          .catch(() => undefined)
      }
    }),
  )
}
