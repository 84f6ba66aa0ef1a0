import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import type { EngineCall, EngineStreams } from './engine.ts'

/** What went may lie before the link, unseen: systems hold 4 MiB by themselves, and what is between may hold as much. */
const UNSEEN_BYTES = 8 * 1024 * 1024
/** Of that it is counted on that links take so much a second: half a Mbit. On a slower one bytes are waited for as long as they are seen to move. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024
/** However much moves: nine times what the largest folder takes over such a link. */
const MAX_CALL_MS = 1_200_000

/**
 * A call is waited for as long as bytes move, and `patienceMs` longer (rule EN14): over a slow link a large answer takes its time, and one
 * that stands still is away. Pure of its own state: each call has its own.
 */
export function patientCall(call: EngineCall, clock: Clock, patienceMs: number): EngineCall {
  return async (request, signal, moved) => {
    const aborting = new AbortController()
    let unseenMs = (Math.min(UNSEEN_BYTES, request.body?.length ?? 0) / SLOWEST_BYTES_PER_SECOND) * 1_000
    let timer: Disposable | undefined
    const giveUp = (why: string) => aborting.abort(new Error(why))
    const wait = () => {
      timer?.dispose()
      const ms = Math.ceil(patienceMs + unseenMs)
      timer = clock.after(ms, () => giveUp(`nothing came or went for ${Math.round(ms / 1_000)} s`))
    }
    const longest = clock.after(MAX_CALL_MS, () => giveUp(`no whole answer within ${MAX_CALL_MS / 60_000} minutes`))
    wait()
    try {
      return await call(request, AbortSignal.any([signal, aborting.signal]), (what) => {
        if (what === 'came') unseenMs = 0 // all has arrived there
        wait()
        moved?.(what)
      })
    } finally {
      timer?.dispose()
      longest.dispose()
    }
  }
}

/** The same for what is fetched, to its end: it may be large, and far. */
export function patientDownload(download: EngineStreams['download'], clock: Clock, patienceMs: number): EngineStreams['download'] {
  return async (url, maxBytes, signal, moved) => {
    const aborting = new AbortController()
    let timer: Disposable | undefined
    const wait = () => {
      timer?.dispose()
      timer = clock.after(patienceMs, () => aborting.abort(new Error(`nothing came for ${patienceMs / 1_000} s`)))
    }
    wait()
    try {
      return await download(url, maxBytes, AbortSignal.any([signal, aborting.signal]), (what) => {
        wait()
        moved?.(what)
      })
    } finally {
      timer?.dispose()
    }
  }
}
