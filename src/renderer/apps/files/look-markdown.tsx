import { ImageOff } from 'lucide-react'
import type { Token } from 'marked'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { baseName } from './home-path.ts'
import { type LookAt, type OpenView, useFileView } from './file-view.ts'
import { lookKind } from './look-kind.ts'
import { Failed, MoreNote, NoText } from './look-states.tsx'
import { MARKDOWN_HEAD_BYTES } from './look-text.ts'
import { markdownNodes } from './markdown-nodes.tsx'
import { useTextHead } from './use-text-head.ts'
import { parseMarkdown } from './parse-markdown.ts'
import { markdownTarget } from './markdown-link.ts'

/** A Markdown text as it is meant. Pictures that lie beside it are drawn; nothing is fetched from anywhere else. */
export default function LookMarkdown(props: { view: OpenView; at: LookAt; onFollow: (target: string) => void }) {
  const { view, at, onFollow } = props
  const { head, error } = useTextHead(view, MARKDOWN_HEAD_BYTES)
  const { device, path } = at
  const text = head?.text
  const [parsed, setParsed] = useState<{ readonly tokens: readonly Token[] | undefined }>()
  useEffect(() => {
    if (text === undefined) return
    const leaving = new AbortController()
    void parseMarkdown(text, leaving.signal).then((tokens) => leaving.signal.aborted || setParsed({ tokens }))
    return () => leaving.abort()
  }, [text])
  const drawn = useMemo(() => {
    if (!parsed) return null
    if (!parsed.tokens) return <p className="look-plain">{text}</p>
    return markdownNodes(parsed.tokens, {
      link: (target, content) => linkTo(path, target, content, onFollow),
      picture: (target, words) => pictureOf({ device, from: path, target, words }),
    })
  }, [parsed, text, device, path, onFollow])
  if (error !== undefined) return <Failed error={error} />
  if (!head) return null
  if (text === undefined) return <NoText />
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: the keyboard must reach it
    <div className="look-markdown" tabIndex={0} role="group" aria-label={`Text of ${at.entry.name}`}>
      {drawn}
      <MoreNote head={head} bytes={MARKDOWN_HEAD_BYTES} />
    </div>
  )
}

function linkTo(path: string, target: string, content: ReactNode, onFollow: (target: string) => void): ReactNode {
  const leads = markdownTarget(path, target)
  if (leads.kind === 'none') return <span title={target}>{content}</span>
  return (
    <button type="button" className="look-link" title={leads.kind === 'web' ? leads.url : leads.path} onClick={() => onFollow(target)}>
      {content}
    </button>
  )
}

interface PictureProps {
  readonly device: string
  /** The path of the text it stands in. */
  readonly from: string
  readonly target: string
  readonly words: string
}

const pictureOf = (props: PictureProps): ReactNode => <Picture {...props} />

/** A picture beside the text; one of the Web is named, not fetched: whoever wrote the text would hear that it is read. */
function Picture(props: PictureProps) {
  const leads = markdownTarget(props.from, props.target)
  const path = leads.kind === 'file' ? leads.path : undefined
  const name = path === undefined ? '' : baseName(path)
  const entry = { name, kind: 'link' as const, bytes: 0, modifiedMs: 0, hidden: false }
  const isDrawn = path !== undefined && lookKind(entry) === 'picture'
  const { view, error } = useFileView({ device: props.device, path: path ?? '/', entry }, isDrawn)
  if (isDrawn && view) return <img src={view.path} alt={props.words || name} />
  if (isDrawn && error === undefined) return null
  return (
    <span className="look-no-picture">
      <ImageOff aria-hidden="true" />
      {props.words || name || 'A picture'}
      {leads.kind === 'web' && ` (a picture on ${new URL(leads.url).host}, not fetched)`}
    </span>
  )
}
