import type { ReactNode } from 'react'
import { joinClasses } from './join-classes.ts'
import './badge.css'

export type Meaning = 'neutral' | 'accent' | 'safe' | 'unsafe' | 'lost' | 'moving'

/** A short word on a chip. Meaning is told by the word; colour only helps. */
export function Badge({ meaning = 'neutral', className, children }: { meaning?: Meaning; className?: string; children: ReactNode }) {
  return (
    <span className={joinClasses('ui-badge', className)} data-meaning={meaning}>
      {children}
    </span>
  )
}

/** A dot for a state that also has words: full, or hollow for what is not (yet) so. */
export function Dot({ meaning = 'neutral', hollow }: { meaning?: Meaning; hollow?: boolean }) {
  return <span className="ui-dot" data-meaning={meaning} data-hollow={hollow || undefined} aria-hidden="true" />
}
