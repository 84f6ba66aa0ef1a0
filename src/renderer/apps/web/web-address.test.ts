import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MAX_HISTORY, readAddress, shortAddress, step, visit, type WebHistory } from './web-address.ts'

it.each([
  ['example.org', 'https://example.org/'],
  ['  Example.org/a b ', undefined],
  ['https://example.org/a?b#c', 'https://example.org/a?b#c'],
  ['localhost:8080', 'http://localhost:8080/'],
  ['127.0.0.1:3000/x', 'http://127.0.0.1:3000/x'],
  ['192.168.1.10', 'http://192.168.1.10/'],
  ['example.org:8443', 'https://example.org:8443/'],
  ['javascript:alert(1)', undefined],
  ['data:text/html,x', undefined],
  ['file:///etc/passwd', undefined],
  ['https://kim:secret@example.org', undefined],
  ['how to cook rice', undefined],
  ['rice', undefined],
  ['', undefined],
])('[AP40] "%s" leads to %s', (typed, url) => {
  const address = readAddress(typed)
  expect(address.kind === 'page' ? address.url : undefined).toBe(url)
})

it('[AP40] whatever is typed, only http and https pages are opened', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string().map((rest) => `javascript:${rest}`),
      ),
      (typed) => {
        const address = readAddress(typed)
        if (address.kind === 'page') expect(address.url).toMatch(/^https?:\/\//)
      },
    ),
  )
})

it('[AP41] back and forward walk the pages of the tab; a new page forgets what was ahead', () => {
  let web: WebHistory = { history: [], index: -1 }
  for (const url of ['a', 'b', 'c', 'c']) web = visit(web, url)
  expect(web).toEqual({ history: ['a', 'b', 'c'], index: 2 })
  const back = step(web, -1)
  expect(back).toEqual({ index: 1, url: 'b' })
  expect(visit({ ...web, index: 1 }, 'd')).toEqual({ history: ['a', 'b', 'd'], index: 2 })
  expect([step(web, 1), step({ ...web, index: 0 }, -1)]).toEqual([undefined, undefined])
})

it('[AP41] a tab keeps a bounded number of pages', () => {
  let web: WebHistory = { history: [], index: -1 }
  for (let page = 0; page < 200; page++) web = visit(web, `${page}`)
  expect([web.history.length, web.index, web.history.at(-1)]).toEqual([MAX_HISTORY, MAX_HISTORY - 1, '199'])
})

it('[AP40] the field shows what is worth reading', () => expect(shortAddress('https://www.example.org/')).toBe('example.org'))
