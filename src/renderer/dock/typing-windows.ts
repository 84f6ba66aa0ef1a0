import { useEffect, useRef } from 'react'
import { useShallow } from 'zustand/react/shallow'
import { typeIntoJob } from '../apps/jobs/job-actions.ts'
import { terminalOffer, wantsTyping } from '../apps/jobs/job-typing.ts'
import { noteOffered, useJobs } from '../desk/jobs-store.ts'

/** Elements that take what is typed; a terminal is a text area of its own. */
const TAKES_TEXT = 'input, textarea, select, [contenteditable=""], [contenteditable="true"]'

/**
 * A job that was started at this display and waits for a line gets its terminal by itself, once (rule JB105): in front, or, while
 * somebody types, where it takes no key from them.
 */
export function useTypingWindows(): void {
  const lastKeyMs = useRef(Number.NEGATIVE_INFINITY)
  const waiting = useJobs(
    useShallow(({ jobs, cards, offered }) =>
      jobs.filter((info) => wantsTyping(info) && cards.includes(info.job) && !offered.includes(info.job)).map(({ job }) => job),
    ),
  )
  useEffect(() => {
    const note = () => {
      lastKeyMs.current = performance.now()
    }
    addEventListener('keydown', note, { capture: true, passive: true })
    return () => removeEventListener('keydown', note, { capture: true })
  }, [])
  useEffect(() => {
    for (const job of waiting) {
      const info = useJobs.getState().jobs.find((one) => one.job === job)
      if (!info || useJobs.getState().offered.includes(job)) continue
      noteOffered(job)
      const isTaken = document.activeElement?.matches(TAKES_TEXT) === true
      const offer = terminalOffer({
        sinceKeyMs: isTaken ? performance.now() - lastKeyMs.current : undefined,
        isCompact: document.querySelector('.desk[data-compact]') !== null,
      })
      void typeIntoJob(info, offer)
    }
  }, [waiting])
}
