import { type SignalNote, signalNote } from '../../sync/signal-note.ts'

/**
 * Tests and benchmarks only: names an HTTP service that replaces the addresses a device tells about itself by those of a
 * proxy, so that a whole device runs through a bad network. It cannot weaken a link: the proof binds what DTLS really used.
 */
export const TEST_CANDIDATES_VARIABLE = 'ELSEWHERE_TEST_CANDIDATES'

/** @param url  http://HOST:PORT/ */
export function exchangeCandidatesAt(url: string): (note: SignalNote) => Promise<SignalNote> {
  return async (note) => {
    if (note.kind !== 'candidates') return note
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(note) })
    return signalNote.parse(await answer.json())
  }
}
