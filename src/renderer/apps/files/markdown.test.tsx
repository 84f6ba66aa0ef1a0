import { marked } from 'marked'
import { isValidElement, type ReactNode } from 'react'
import { expect, it } from 'vitest'
import { markdownTarget } from './markdown-link.ts'
import { markdownNodes } from './markdown-nodes.tsx'

/** What would be drawn, as one reads it: `p(a strong(b))`. */
function drawn(node: ReactNode): string {
  if (Array.isArray(node)) return node.map(drawn).join('')
  if (!isValidElement<{ children?: ReactNode }>(node)) return typeof node === 'string' || typeof node === 'number' ? String(node) : ''
  const inside = drawn(node.props.children)
  return typeof node.type === 'string' ? `${node.type}(${inside})` : inside
}
const parts = {
  link: (target: string, content: ReactNode) => ['link ', target, ' ', content],
  picture: (target: string, words: string) => `picture ${target} ${words}`,
}
const show = (text: string) => drawn(markdownNodes(marked.lexer(text, { gfm: true }), parts))

it('[AP108] a Markdown text is drawn as it is meant', () => {
  expect(show('# A *b*\n\ntext `c<d`  \nnext &amp; ~~gone~~ &#65; &unknown;')).toBe(
    'h3(A em(b))p(text code(c<d)br()next & del(gone) A &unknown;)',
  )
  expect(show('- one\n- two\n  1. in it')).toBe('ul(li(one)li(twool(li(in it))))')
  expect(show('- [x] done')).toBe('ul(li(input()done))')
  expect(show('|a|b|\n|-|-:|\n|1|2|')).toBe('div(table(thead(tr(th(a)th(b)))tbody(tr(td(1)td(2)))))')
  expect(show('```js\nlet a = 1 < 2\n```\n> said\n\n---')).toBe('pre(code(let a = 1 < 2))blockquote(p(said))hr()')
  expect(show('[words](a.md) ![picture](b.png)')).toBe('p(link a.md words picture b.png picture)')
})

it('[AP108] HTML in it is shown as it is written, and none is made of it', () => {
  const hostile = '<script>alert(1)</script>\n\nin <b onclick="x">line</b> <img src=x onerror=alert(1)>\n\n&lt;script&gt;'
  const text = show(hostile)
  expect(text).toContain('<script>alert(1)</script>')
  expect(text).not.toMatch(/script\(|img\(|b\(/)
  expect(text).toContain('<img src=x onerror=alert(1)>')
  expect(show(`${'> '.repeat(100)}deep`)).toContain('deep')
})

it.each([
  ['https://example.org/a?b#c', { kind: 'web', url: 'https://example.org/a?b#c' }],
  ['b%20c.png', { kind: 'file', path: '/Home/notes/b c.png' }],
  ['./sub/../../x.md#part', { kind: 'file', path: '/Home/x.md' }],
  ['../../../../../etc/passwd', { kind: 'file', path: '/etc/passwd' }],
  ['/Home/a', { kind: 'file', path: '/Home/a' }],
  ['100%.png', { kind: 'file', path: '/Home/notes/100%.png' }],
  ['javascript:alert(1)', { kind: 'none' }],
  ['JaVaScRiPt:alert(1)', { kind: 'none' }],
  ['data:text/html,x', { kind: 'none' }],
  ['file:///etc/passwd', { kind: 'none' }],
  ['//evil.test/x', { kind: 'none' }],
  ['#part', { kind: 'none' }],
  ['https://', { kind: 'none' }],
  ['a%00b', { kind: 'none' }],
] as const)('[AP108] in /Home/notes/a.md, %s leads to %o', (target, leads) =>
  expect(markdownTarget('/Home/notes/a.md', target)).toEqual(leads),
)
