import { describe, expect, it } from 'vitest'
import { appState, type AppStateOf } from '../../session/app-state.ts'
import type { TabChange } from '../../main/electron/native-contract.ts'
import { changeOf, openedPage } from './tab-agreement.ts'

const web = (more: object = {}) =>
  appState.parse({ kind: 'web', url: 'https://a.test/', title: 'A', history: ['https://a.test/'], index: 0, ...more }) as AppStateOf<'web'>
const news = (more: Partial<TabChange> = {}): TabChange => ({
  type: 'tab-changed',
  tabId: 't',
  history: { urls: ['https://a.test/', 'https://b.test/'], index: 1 },
  title: 'B',
  loading: false,
  canGoBack: true,
  canGoForward: false,
  scrollY: 40,
  byPerson: true,
  ...more,
})

describe('[AP48] what a view tells the workspace', () => {
  it('where the person went', () => {
    const change = { url: 'https://b.test/', title: 'B', scrollY: 40, history: ['https://a.test/', 'https://b.test/'], index: 1 }
    expect(changeOf(web(), news(), 'https://a.test/')).toEqual(change)
    expect(changeOf({ ...web(), ...change }, news(), 'https://b.test/')).toBeUndefined() // nothing new
  })

  it('not where the page went by itself, but its name, where it has none', () => {
    expect(changeOf(web(), news({ byPerson: false }), 'https://a.test/')).toBeUndefined()
    const named = news({ byPerson: false, history: { urls: ['https://a.test/'], index: 0 }, title: 'Name' })
    expect(changeOf(web({ title: '' }), named, 'https://a.test/')).toEqual({ title: 'Name' })
    expect(changeOf(web(), named, 'https://a.test/')).toBeUndefined()
  })

  it('nothing once another display has gone on, or while the page is none that can be opened again', () => {
    expect(changeOf(web({ url: 'https://c.test/' }), news(), 'https://a.test/')).toBeUndefined()
    const { history: _none, ...without } = news()
    expect(changeOf(web(), without, 'https://a.test/')).toBeUndefined()
  })

  it('whatever it tells, the workspace can take', () => {
    const urls = Array.from({ length: 50 }, (_, page) => `https://a.test/${page}`)
    const patch = changeOf(web(), news({ history: { urls, index: 49 }, title: 'x'.repeat(1024) }), 'https://a.test/')
    expect(appState.parse({ ...web(), ...patch })).toMatchObject({ index: 49, title: 'x'.repeat(200) })
  })
})

describe('[AP42] what a new view begins with', () => {
  it('the pages behind and ahead, and the scroll', () => {
    const history = ['https://a.test/', 'https://b.test/', 'https://c.test/']
    expect(openedPage(web({ url: 'https://b.test/', history, index: 1, scrollY: 7 }), true)).toEqual({
      history: { urls: history, index: 1 },
      scrollY: 7,
      byPerson: true,
    })
  })

  it('only the page, where the history does not hold it; nothing but pages', () => {
    expect(openedPage(web({ url: 'https://z.test/', index: 0 }), false).history).toEqual({ urls: ['https://z.test/'], index: 0 })
    const history = ['file:///etc/passwd', 'https://a.test/', 'javascript:alert(1)']
    expect(openedPage(web({ history, index: 1 }), false).history).toEqual({ urls: ['https://a.test/'], index: 0 })
  })
})
