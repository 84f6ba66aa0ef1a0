import type { Token, Tokens } from 'marked'
import { Fragment, type ReactNode } from 'react'

/** What a text may not do by itself: what stands where it has a link or a picture. */
export interface MarkdownParts {
  link(target: string, content: ReactNode): ReactNode
  picture(target: string, words: string): ReactNode
}

/** Deeper ones are shown as they are written: a text of nothing but `>` is no reason to fail. */
const MAX_DEPTH = 40

/**
 * The parts of a Markdown text as React draws them. No HTML is ever made of them, and HTML in the text is shown as it is written.
 * Links and pictures are what `parts` makes of them.
 */
export const markdownNodes = (tokens: readonly Token[], parts: MarkdownParts): ReactNode => all(tokens, parts, 0)

const all = (tokens: readonly Token[] | undefined, parts: MarkdownParts, depth: number): ReactNode =>
  // oxlint-disable-next-line react/no-array-index-key -- parts of a text have no identity but their place
  tokens?.map((token, index) => <Fragment key={index}>{one(token as Tokens.Generic, parts, depth)}</Fragment>)

function one(token: Tokens.Generic, parts: MarkdownParts, depth: number): ReactNode {
  if (depth > MAX_DEPTH) return token.raw
  const inside = () => all(token.tokens, parts, depth + 1)
  switch (token.type) {
    case 'space':
    case 'def':
      return null
    case 'heading':
      return heading(token as Tokens.Heading, inside())
    case 'paragraph':
      return <p>{inside()}</p>
    case 'text':
      return token.tokens ? inside() : letters(token.text)
    case 'escape':
      return letters(token.text)
    case 'strong':
      return <strong>{inside()}</strong>
    case 'em':
      return <em>{inside()}</em>
    case 'del':
      return <del>{inside()}</del>
    case 'codespan':
      return <code>{token.text}</code>
    case 'br':
      return <br />
    case 'hr':
      return <hr />
    case 'code':
      return (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: the keyboard must reach it
        <pre tabIndex={0}>
          <code>{token.text}</code>
        </pre>
      )
    case 'blockquote':
      return <blockquote>{inside()}</blockquote>
    case 'list':
      return list(token as Tokens.List, parts, depth)
    case 'table':
      return table(token as Tokens.Table, parts, depth)
    case 'link':
      return parts.link(token.href, inside())
    case 'image':
      return parts.picture(token.href, token.text)
    case 'checkbox':
      return null // drawn with its item
    default:
      return token.raw // HTML above all: shown, not obeyed
  }
}

/** A page has its own first heading: those of the text begin below the title of the panel. */
function heading({ depth }: Tokens.Heading, content: ReactNode): ReactNode {
  const Level = (['h3', 'h4', 'h5', 'h6', 'h6', 'h6'] as const)[depth - 1] ?? 'h6'
  return <Level data-depth={depth}>{content}</Level>
}

function list({ ordered, start, items }: Tokens.List, parts: MarkdownParts, depth: number): ReactNode {
  const drawn = items.map((item, index) => (
    // oxlint-disable-next-line react/no-array-index-key -- as above
    <li key={index} data-task={item.task || undefined}>
      {item.task && (
        <input type="checkbox" checked={item.checked ?? false} readOnly disabled aria-label={item.checked ? 'done' : 'not done'} />
      )}
      {all(item.tokens, parts, depth + 1)}
    </li>
  ))
  return ordered ? <ol start={typeof start === 'number' ? start : 1}>{drawn}</ol> : <ul>{drawn}</ul>
}

function table({ header, rows, align }: Tokens.Table, parts: MarkdownParts, depth: number): ReactNode {
  const side = (index: number) => ({ textAlign: align[index] ?? ('left' as const) })
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: the keyboard must reach it
    <div className="look-markdown-table" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {header.map((cell, index) => (
              // oxlint-disable-next-line react/no-array-index-key -- as above
              <th key={index} scope="col" style={side(index)}>
                {all(cell.tokens, parts, depth + 1)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            // oxlint-disable-next-line react/no-array-index-key -- as above
            <tr key={at}>
              {row.map((cell, index) => (
                // oxlint-disable-next-line react/no-array-index-key -- as above
                <td key={index} style={side(index)}>
                  {all(cell.tokens, parts, depth + 1)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  hellip: '…',
  mdash: '—',
  ndash: '–',
}

/** `&amp;` and the like as the letters they stand for. Others stay as they are written. */
function letters(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? whole
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? '', 16)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
