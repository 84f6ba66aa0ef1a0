import './states.css'

/** The shape of what will come, for waits over 300 ms. `lines` rows of text-like bars. */
export function Skeleton({ lines = 4, label = 'Loading' }: { lines?: number; label?: string }) {
  return (
    <div className="ui-skeleton" role="status">
      <span className="visually-hidden">{label}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} data-width={line % 3} />
      ))}
    </div>
  )
}
