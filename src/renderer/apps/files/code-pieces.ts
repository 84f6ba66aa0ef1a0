import { findLanguage } from '../editor/editor-language.ts'

/** A stretch of a text that looks the same; `kind`: a class of files-look.css. */
export interface CodePiece {
  readonly text: string
  readonly kind: string
}

/** A text in the colours of its language, by the name of its file; undefined where there is none. */
export async function codePieces(text: string, name: string): Promise<readonly CodePiece[] | undefined> {
  const found = await findLanguage(null, name)
  if (!found) return undefined
  const { highlightCode, tagHighlighter, tags } = await import('@lezer/highlight')
  const highlighter = tagHighlighter([
    { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.controlKeyword], class: 'keyword' },
    { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.attributeValue], class: 'string' },
    { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.escape], class: 'number' },
    { tag: [tags.comment, tags.meta, tags.processingInstruction], class: 'comment' },
    { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.labelName, tags.heading], class: 'function' },
    { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName], class: 'type' },
    { tag: [tags.propertyName, tags.attributeName, tags.definition(tags.variableName)], class: 'variable' },
  ])
  const pieces: CodePiece[] = []
  const put = (piece: string, kind: string) => {
    const last = pieces.at(-1)
    if (last?.kind === kind) pieces[pieces.length - 1] = { kind, text: last.text + piece }
    else pieces.push({ kind, text: piece })
  }
  highlightCode(text, found.support.language.parser.parse(text), highlighter, put, () => put('\n', ''))
  return pieces
}
