import type { Session, WebContents } from 'electron'
import { describe, expect, it, vi } from 'vitest'
import { as, FakeContents, FakeView, FakeWindow } from './fake-electron.suite.ts'
import { type NativeEvent, nativeEvent } from './native-contract.ts'
import { TabRules } from './tab-rules.ts'
import { guardTabSession } from './tab-session.ts'
import { clampBounds, MAX_VIEWS, WebTabs } from './web-tabs.ts'

const DESK = 'http://abcdefghijkl.localhost:4170/'
const BOUNDS = { x: 10, y: 10, width: 100, height: 100 }
const page = (...urls: string[]) => ({ history: { urls, index: urls.length - 1 }, scrollY: 0, byPerson: false })
const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

function setup() {
  const window = new FakeWindow()
  const views: FakeView[] = []
  const events: NativeEvent[] = []
  const rules = new TabRules(() => [DESK])
  const tabs = new WebTabs(
    as(window),
    () => {
      const view = new FakeView()
      views.push(view)
      return as(view)
    },
    rules,
    (event) => events.push(nativeEvent.parse(event)),
  )
  const last = <T extends NativeEvent['type']>(type: T) =>
    events.findLast((event) => event.type === type) as Extract<NativeEvent, { type: T }>
  const first = () => views[0] ?? new FakeView()
  return { window, views, events, rules, tabs, last, first }
}

describe('[EL5] where pages in views may go', () => {
  const rules = new TabRules(() => [DESK])
  rules.open('http://localhost:3000/app')
  it.each([
    ['https://example.org/', undefined, true],
    ['wss://example.org/socket', 'https://example.org', true],
    ['data:text/css,x', 'https://example.org', true],
    ['file:///etc/passwd', undefined, false],
    ['elsewhere://shell/away', undefined, false],
    ['javascript:alert(1)', undefined, false],
    // Desks: by name, by port, by any way to write this machine; whoever asks.
    [DESK, undefined, false],
    ['http://zyxwvutsrqpo.localhost:9999/', undefined, false],
    ['http://127.0.0.1:4170/', undefined, false],
    ['http://[::1]:4170/', undefined, false],
    ['http://[::ffff:127.0.0.1]:4170/', undefined, false],
    ['http://0.0.0.0:4170/', undefined, false],
    ['http://2130706433:4170/', undefined, false],
    ['ws://localhost:4170/display', 'http://localhost:3000', false],
    // Other programs of this machine.
    ['http://localhost:3000/other', undefined, true],
    ['http://localhost:631/', undefined, false],
    ['http://localhost:3000/', 'https://example.org', false],
    ['http://localhost:3000/', 'null', false],
    ['http://127.0.0.1:3001/api', 'http://localhost:3000', true],
  ])('%s asked for by %s: %s', (url, initiator, may) => expect(rules.refusal(url, initiator) === undefined).toBe(may))

  it('a refused address makes no view, and a page cannot lead itself there', async () => {
    const { tabs, first, window } = setup()
    await expect(tabs.show('t', BOUNDS, page(DESK))).rejects.toThrow(/^native\/refused-address: /)
    expect([tabs.count, window.views, first().webContents.closed]).toEqual([0, [], true])
    await tabs.show('u', BOUNDS, page('https://a.test/'))
    const { webContents } = tabs.view('u').view
    const ask = (url: string) => (webContents as unknown as FakeContents).ask('will-navigate', { url })
    expect([ask('https://b.test/'), ask(DESK), ask('http://localhost:8080/'), ask('file:///etc/passwd')]).toEqual([false, true, true, true])
    await expect(tabs.view('u').navigate('http://127.0.0.1:4170/x')).rejects.toThrow(/^native\/refused-address: /)
  })

  it('every request of the views goes through the rules', () => {
    let decide: ((details: object, answer: (response: { cancel: boolean }) => void) => void) | undefined
    guardTabSession(
      fakeSession({ webRequest: { onBeforeRequest: (handler: typeof decide) => (decide = handler) } }).session,
      rules,
      () => undefined,
    )
    const cancels = (url: string, initiatorOrigin?: string) => {
      let cancelled: boolean | undefined
      decide?.({ url, initiatorOrigin }, ({ cancel }) => (cancelled = cancel))
      return cancelled
    }
    expect([cancels('https://a.test/x.js', 'https://a.test'), cancels(DESK), cancels('http://localhost:4170/', 'https://a.test')]).toEqual([
      false,
      true,
      true,
    ])
  })
})

function fakeSession(more: object = {}) {
  const handlers: Record<string, (...args: never[]) => unknown> = {}
  const keep = (name: string) => (handler: (...args: never[]) => unknown) => {
    handlers[name] = handler
  }
  const session = as<Session>({
    webRequest: { onBeforeRequest: () => undefined },
    setPermissionCheckHandler: keep('check'),
    setPermissionRequestHandler: keep('request'),
    setDevicePermissionHandler: keep('device'),
    setDisplayMediaRequestHandler: keep('screen'),
    on: (name: string, handler: (...args: never[]) => unknown) => keep(name)(handler),
    ...more,
  })
  return { session, call: (name: string, ...args: unknown[]) => handlers[name]?.(...(args as never[])) }
}

describe('[EL6] what a page asks for', () => {
  async function asking() {
    const all = setup()
    await all.tabs.show('t', BOUNDS, page('https://maps.test/'))
    const { session, call } = fakeSession()
    guardTabSession(session, all.rules, (contents) => (contents ? all.tabs.viewOf(contents) : undefined))
    const contents = as<WebContents>(all.first().webContents)
    const request = (permission: string, requestingUrl = 'https://maps.test/x', more: object = {}) => {
      const answers: boolean[] = []
      call('request', contents, permission, (ok: boolean) => answers.push(ok), { requestingUrl, ...more })
      return answers
    }
    const check = (permission: string, origin: string, mediaType?: string) => call('check', contents, permission, origin, { mediaType })
    return { ...all, call, contents, request, check }
  }

  it('the person is asked once; yes holds for that site and that wish', async () => {
    const { tabs, last, request, check } = await asking()
    const answers = request('geolocation')
    expect(last('tab-asks')).toMatchObject({ tabId: 't', site: 'maps.test', wishes: ['location'] })
    tabs.view('t').answer(last('tab-asks').question, true)
    await settle()
    expect([answers, request('geolocation'), check('geolocation', 'https://maps.test')]).toEqual([[true], [true], true])
    expect([check('notifications', 'https://maps.test'), check('geolocation', 'https://other.test')]).toEqual([false, false])
  })

  it('camera and microphone are asked for apart', async () => {
    const { tabs, last, request, check } = await asking()
    request('media', undefined, { mediaTypes: ['video'] })
    tabs.view('t').answer(last('tab-asks').question, true)
    await settle()
    expect([check('media', 'https://maps.test', 'video'), check('media', 'https://maps.test', 'audio')]).toEqual([true, false])
    request('media', undefined, { mediaTypes: ['video', 'audio'] })
    expect(last('tab-asks').wishes).toEqual(['camera', 'microphone'])
  })

  it('no is no, a page that leaves gets no, and so do frames from elsewhere, unknown wishes and more than three at once', async () => {
    const { tabs, first, last, events, request } = await asking()
    const denied = request('notifications')
    tabs.view('t').answer(last('tab-asks').question, false)
    const gone = request('clipboard-read')
    first().webContents.emit('did-navigate')
    await settle()
    expect([denied, gone, last('tab-asks-no-more').question]).toEqual([[false], [false], last('tab-asks').question])
    const asked = events.length
    expect([request('geolocation', 'https://ads.test/'), request('usb'), request('fullscreen'), request('media')]).toEqual([
      [false],
      [false],
      [false],
      [false],
    ])
    expect(events.length).toBe(asked)
    for (let i = 0; i < 3; i++) request('geolocation')
    const fourth = request('geolocation')
    await settle()
    expect(fourth).toEqual([false])
  })

  it('downloads are stopped and told; screens and devices are never given', async () => {
    const { call, contents, last } = await asking()
    const event = { preventDefault: vi.fn() }
    call('will-download', event, { getFilename: () => 'a.zip', getURL: () => 'https://maps.test/a.zip' }, contents)
    expect(event.preventDefault).toHaveBeenCalledOnce()
    expect(last('tab-refused-download')).toEqual({
      type: 'tab-refused-download',
      tabId: 't',
      name: 'a.zip',
      url: 'https://maps.test/a.zip',
    })
    expect(call('device')).toBe(false)
  })
})

describe('[EL7] a view of a page', () => {
  it('begins with the tab’s history and scroll, then is only moved', async () => {
    const { tabs, first, last } = setup()
    await tabs.show('t', BOUNDS, {
      history: { urls: ['https://a.test/', 'https://b.test/', 'https://c.test/'], index: 1 },
      scrollY: 640,
      byPerson: false,
    })
    const { webContents } = first()
    expect(webContents.restored).toEqual({
      index: 1,
      entries: ['https://a.test/', 'https://b.test/', 'https://c.test/'].map((url) => ({ url, title: '' })),
    })
    webContents.emit('did-finish-load')
    expect(webContents.ran).toEqual(['window.scrollTo(0, 640)'])
    await tabs.show('t', { ...BOUNDS, x: 50 }, page('https://other.test/'))
    expect([webContents.loaded.length, first().bounds.x, first().visible]).toEqual([3, 50, true])
    webContents.emit('did-stop-loading')
    expect(last('tab-changed')).toMatchObject({
      tabId: 't',
      history: { urls: ['https://a.test/', 'https://b.test/', 'https://c.test/'], index: 1 },
      byPerson: false,
      scrollY: 640,
    })
  })

  it('tells where the person went and scrolled to, and leaves out what cannot be opened again', async () => {
    vi.useFakeTimers()
    try {
      const { tabs, first, last } = setup()
      await tabs.show('t', BOUNDS, page('https://a.test/'))
      const { webContents } = first()
      webContents.restored = undefined
      webContents.loaded.push('about:blank', 'https://b.test/')
      webContents.answers.set('window.scrollY', 120.4)
      webContents.emit('input-event', {}, { type: 'mouseMove' })
      webContents.emit('did-navigate')
      expect(last('tab-changed').byPerson).toBe(false)
      webContents.emit('input-event', {}, { type: 'mouseWheel' })
      await vi.advanceTimersByTimeAsync(1_000)
      expect(last('tab-changed')).toMatchObject({
        byPerson: true,
        scrollY: 120,
        history: { urls: ['https://a.test/', 'https://b.test/'], index: 1 },
      })
      expect(last('tab-used')).toEqual({ type: 'tab-used', tabId: 't', press: false })
      webContents.loaded.push('about:blank')
      webContents.emit('did-navigate')
      expect(last('tab-changed').history).toBeUndefined()
      webContents.emit('input-event', {}, { type: 'mouseWheel' })
      tabs.dispose() // a timer that is left would run into a closed page
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('says what failed, until the next load', async () => {
    const { tabs, first, last } = setup()
    await tabs.show('t', BOUNDS, page('https://a.test/'))
    const { webContents } = first()
    webContents.emit('did-fail-load', {}, -3, 'ERR_ABORTED', '', true)
    expect(last('tab-changed')).toBeUndefined()
    webContents.emit('did-fail-load', {}, -105, 'ERR_NAME_NOT_RESOLVED', '', true)
    webContents.emit('did-stop-loading')
    expect(last('tab-changed').failure).toBe('ERR_NAME_NOT_RESOLVED')
    webContents.emit('did-start-loading')
    expect(last('tab-changed').failure).toBeUndefined()
    webContents.emit('render-process-gone')
    expect(last('tab-changed').failure).toBe('PAGE_STOPPED')
  })

  it('keeps the desk’s keys for the desk, and hands on no others', async () => {
    const { tabs, first, window, last } = setup()
    await tabs.show('t', BOUNDS, page('https://a.test/'))
    tabs.keepKeys(['Ctrl+K'])
    const { webContents } = first()
    const press = (key: string, control: boolean) =>
      webContents.ask(
        'before-input-event',
        {},
        { type: 'keyDown', key, code: `Key${key.toUpperCase()}`, control, alt: false, shift: false, meta: false },
      )
    expect([press('k', true), press('c', true), press('k', false)]).toEqual([true, false, false])
    expect([window.webContents.focused, last('key-pressed')]).toEqual([1, expect.objectContaining({ key: 'k', ctrlKey: true })])
  })

  it('a link for a new window asks for a tab, a few at a time, and only to where pages may go', async () => {
    const { tabs, first, events } = setup()
    await tabs.show('t', BOUNDS, page('https://a.test/'))
    const { webContents } = first()
    const open = (url: string, disposition = 'foreground-tab') => webContents.opener?.({ url, disposition })
    expect(open('https://b.test/', 'background-tab')).toEqual({ action: 'deny' })
    expect([open('file:///etc/passwd')?.action, open(DESK)?.action]).toEqual(['deny', 'deny'])
    for (let i = 0; i < 20; i++) open(`https://c.test/${i}`)
    const wanted = events.filter((event) => event.type === 'tab-wants-tab')
    expect(wanted[0]).toEqual({ type: 'tab-wants-tab', tabId: 't', url: 'https://b.test/', background: true })
    expect(wanted).toHaveLength(5)
  })

  it('asks the desk for a menu, with the link only where pages may go', async () => {
    const { tabs, first, last, window } = setup()
    await tabs.show('t', BOUNDS, page('https://a.test/'))
    const editFlags = { canCut: false, canCopy: true, canPaste: false, canUndo: true }
    first().webContents.emit('context-menu', {}, { x: 12.4, y: -3, linkURL: 'https://b.test/', editFlags })
    expect(last('tab-menu')).toEqual({
      type: 'tab-menu',
      tabId: 't',
      x: 12,
      y: 0,
      link: 'https://b.test/',
      canCut: false,
      canCopy: true,
      canPaste: false,
    })
    expect(window.webContents.focused).toBe(1)
    first().webContents.emit('context-menu', {}, { x: 1, y: 1, linkURL: 'javascript:alert(1)', editFlags })
    expect(last('tab-menu').link).toBeUndefined()
  })

  it('shows small pictures of kinds that cannot run', async () => {
    const { tabs, first, last } = setup()
    await tabs.show('t', BOUNDS, page('https://a.test/'))
    const { webContents } = first()
    const answer = (type: string, bytes = 'png') =>
      webContents.session.fetch.mockResolvedValueOnce(new Response(bytes, { headers: { 'content-type': type } }))
    answer('image/svg+xml')
    webContents.emit('page-favicon-updated', {}, ['https://a.test/icon.svg'])
    answer('image/png', 'x'.repeat(60_000))
    webContents.emit('page-favicon-updated', {}, ['https://a.test/large.png'])
    await settle()
    expect(last('tab-changed')).toBeUndefined()
    webContents.emit('page-favicon-updated', {}, [`${DESK}icon.png`])
    expect(webContents.session.fetch).toHaveBeenCalledTimes(2)
    answer('image/png; charset=x')
    webContents.emit('page-favicon-updated', {}, ['https://a.test/icon.png'])
    await vi.waitFor(() => expect(last('tab-changed')?.icon).toBe('data:image/png;base64,cG5n'))
  })
})

describe('[EL8] the views of a window', () => {
  it('only so many are kept, and the desk hears of the one that went', async () => {
    const { tabs, window, views, last } = setup()
    for (let i = 0; i <= MAX_VIEWS; i++) await tabs.show(`t${i}`, BOUNDS, page('https://a.test/'))
    expect([tabs.count, views[0]?.webContents.closed, last('tab-gone')]).toEqual([MAX_VIEWS, true, { type: 'tab-gone', tabId: 't0' }])
    tabs.dispose()
    expect([window.views, views.every(({ webContents }) => webContents.closed)]).toEqual([[], true])
  })

  it('a hidden view leaves its picture', async () => {
    const { tabs, first } = setup()
    await tabs.show('t', BOUNDS, page('https://a.test/'))
    expect(await tabs.hide('t', true)).toBe(`data:image/jpeg;base64,${Buffer.from('picture').toString('base64')}`)
    expect([first().visible, await tabs.hide('t', false), await tabs.hide('nobody', true)]).toEqual([false, null, null])
  })

  it.each([
    [
      { x: -5, y: -5, width: 10, height: 10 },
      { x: 0, y: 0, width: 5, height: 5 },
    ],
    [
      { x: 990, y: 0, width: 50, height: 50 },
      { x: 990, y: 0, width: 10, height: 50 },
    ],
    [
      { x: 2000, y: 2000, width: 50, height: 50 },
      { x: 1000, y: 800, width: 0, height: 0 },
    ],
  ])('a view never leaves the window: %j', (wanted, clamped) => {
    expect(clampBounds(wanted, { width: 1000, height: 800 })).toEqual(clamped)
  })
})
