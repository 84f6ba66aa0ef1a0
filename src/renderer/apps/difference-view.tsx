import { useMemo } from 'react'
import { diffLines } from './editor/save-buffer.ts'
import './difference.css'

/** Unchanged lines shown around a change. */
const AROUND = 3

/** Two texts line by line: `+` only in the first, `−` only in the second. */
export function DifferenceView({ mine, theirs }: { mine: string; theirs: string }) {
  const lines = useMemo(() => folded(diffLines(mine, theirs)), [mine, theirs])
  return (
    <div className="difference" tabIndex={0} role="group" aria-label="Differences">
      {lines.map((line, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- lines have no identity but their place
        <div key={index} data-kind={line.kind}>
          <span>{{ same: ' ', mine: '+', theirs: '−', gap: '⋯' }[line.kind]}</span>
          {line.text}
        </div>
      ))}
    </div>
  )
}

type ShownLine = { readonly kind: 'same' | 'mine' | 'theirs' | 'gap'; readonly text: string }

/** Long unchanged stretches become one line. */
function folded(lines: readonly ShownLine[]): readonly ShownLine[] {
  const near = (index: number) => lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some((line) => line.kind !== 'same')
  const shown: ShownLine[] = []
  for (const [index, line] of lines.entries()) {
    if (near(index)) shown.push(line)
    else if (shown.at(-1)?.kind !== 'gap') shown.push({ kind: 'gap', text: '' })
  }
  return shown
}
