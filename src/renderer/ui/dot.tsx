import './dot.css'

export type Meaning = 'neutral' | 'accent' | 'safe' | 'unsafe' | 'lost' | 'moving'

/** A dot for a state that also has words: full, or hollow for what is not (yet) so. */
export function Dot({ meaning = 'neutral', hollow }: { meaning?: Meaning; hollow?: boolean }) {
  return <span className="ui-dot" data-meaning={meaning} data-hollow={hollow || undefined} aria-hidden="true" />
}
