import { useEffect, useState } from 'react'
import { type CodePiece, codePieces } from './code-pieces.ts'
import type { OpenView } from './file-view.ts'
import { Failed, MoreNote, NoText } from './look-states.tsx'
import { TEXT_HEAD_BYTES } from './look-text.ts'
import { useTextHead } from './use-text-head.ts'

/** The beginning of a text, as it is; in the colours of its language once these are there. */
export function LookCode({ view, name }: { view: OpenView; name: string }) {
  const { head, error } = useTextHead(view, TEXT_HEAD_BYTES)
  const [pieces, setPieces] = useState<readonly CodePiece[]>()
  const text = head?.text
  useEffect(() => {
    if (!text) return
    let isOver = false
    codePieces(text, name).then(
      (found) => isOver || setPieces(found),
      () => undefined, // without colours it is as readable
    )
    return () => {
      isOver = true
    }
  }, [text, name])
  if (error !== undefined) return <Failed error={error} />
  if (!head) return null
  if (head.text === undefined) return <NoText />
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: the keyboard must reach it
    <div className="look-text" tabIndex={0} role="group" aria-label={`Text of ${name}`}>
      <pre>
        {pieces
          ? pieces.map((piece, index) =>
              piece.kind === '' ? (
                piece.text
              ) : (
                // oxlint-disable-next-line react/no-array-index-key -- pieces have no identity but their place
                <span key={index} data-code={piece.kind}>
                  {piece.text}
                </span>
              ),
            )
          : head.text}
      </pre>
      <MoreNote head={head} bytes={TEXT_HEAD_BYTES} />
    </div>
  )
}
