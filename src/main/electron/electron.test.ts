import type { WebContents } from 'electron'
import { oddValue } from '../../testkit/contract-fuzz.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { describe, expect, it, vi } from 'vitest'
import { serveAwayPage } from './away-page.ts'
import { as, FakeContents, FakeView, FakeWindow } from './fake-electron.suite.ts'
import { DESK_PREFERENCES, guardContents, guardSession, isSameOrigin, TAB_PREFERENCES } from './guards.ts'
import { nativeMethods, pageUrl } from './native-contract.ts'
import { serveNative } from './native-service.ts'
import { entranceOf, readArguments, urlOfEntrance } from './open-desk.ts'
import { SecretBox } from './secret-box.ts'
import { ShellWindow, windowOptions } from './shell-window.ts'
import { TabRules } from './tab-rules.ts'
import { WebTabs } from './web-tabs.ts'

const DESK = 'http://abc.localhost:4170/'
const DESK_CONTENTS = {}

describe('[EL1] the window gives a page nothing', () => {
  it('sandbox, isolation and no Node, also for tabs, which get no preload', () => {
    expect(windowOptions('/p.cjs').webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      preload: '/p.cjs',
    })
    expect(TAB_PREFERENCES).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      partition: 'persist:elsewhere-tabs',
    })
    expect(TAB_PREFERENCES.preload).toBeUndefined()
    expect(DESK_PREFERENCES.webSecurity).toBe(true)
  })

  it('denies navigation away from the desk, webviews and new windows', () => {
    const contents = new FakeContents()
    const openExternal = vi.fn(async () => undefined)
    guardContents(
      as(contents),
      () => DESK,
      () => true,
      { openExternal },
    )
    const navigate = (url: string) => {
      const event = { url, preventDefault: vi.fn() }
      contents.emit('will-navigate', event)
      return event.preventDefault.mock.calls.length === 0
    }
    expect(navigate(`${DESK}x`)).toBe(true)
    expect(navigate('https://evil.test/')).toBe(false)
    expect(navigate('http://abc.localhost:4171/')).toBe(false)
    expect(contents.opener?.({ url: 'https://fine.test/' })).toEqual({ action: 'deny' })
    expect(contents.opener?.({ url: 'file:///etc/passwd' })).toEqual({ action: 'deny' })
    expect(openExternal.mock.calls).toEqual([['https://fine.test/']])
  })

  it('grants a short list of permissions to the desk alone, of cameras and microphones the camera to its own page', () => {
    type Details = { requestingUrl: string; isMainFrame: boolean; mediaTypes?: string[]; mediaType?: string }
    let request: ((contents: unknown, permission: string, answer: (ok: boolean) => void, details: Details) => void) | undefined
    let check: ((contents: unknown, permission: string, origin: string, details: Omit<Details, 'requestingUrl'>) => boolean) | undefined
    guardSession(
      as({
        setPermissionRequestHandler: (handler: typeof request) => {
          request = handler
        },
        setPermissionCheckHandler: (handler: typeof check) => {
          check = handler
        },
        setDevicePermissionHandler() {},
        setDisplayMediaRequestHandler() {},
      }),
      () => DESK,
    )
    const ask = (permission: string, requestingUrl: string, mediaTypes?: string[], isMainFrame = true) => {
      let answer: boolean | undefined
      const asked = { requestingUrl, isMainFrame, ...(mediaTypes && { mediaTypes }) }
      request?.(undefined, permission, (ok) => (answer = ok), asked)
      return answer
    }
    expect(ask('notifications', DESK)).toBe(true)
    expect(ask('notifications', 'https://evil.test/')).toBe(false)
    expect(ask('geolocation', DESK)).toBe(false)
    expect(ask('media', DESK, ['video'])).toBe(true)
    expect(ask('media', DESK, ['video'], false)).toBe(false)
    for (const media of [undefined, [], ['audio'], ['video', 'audio']]) expect(ask('media', DESK, media)).toBe(false)
    expect(ask('media', 'https://evil.test/', ['video'])).toBe(false)
    expect(check?.(undefined, 'media', DESK, { isMainFrame: true, mediaType: 'video' })).toBe(true)
    expect(check?.(undefined, 'media', DESK, { isMainFrame: false, mediaType: 'video' })).toBe(false)
    expect(check?.(undefined, 'media', DESK, { isMainFrame: true, mediaType: 'audio' })).toBe(false)
    expect(check?.(undefined, 'media', 'https://evil.test', { isMainFrame: true, mediaType: 'video' })).toBe(false)
  })

  it.each([
    [DESK, `${DESK}a/b`, true],
    ['http://a:1/', 'http://a:2/', false],
    ['elsewhere://shell/', 'elsewhere://other/', false],
    ['null', 'null', false],
  ])('same origin: %s and %s: %s', (a, b, same) => expect(isSameOrigin(a, b)).toBe(same))

  it.each(['file:///etc/passwd', 'javascript:alert(1)', 'http://user:pass@a.test/', 'data:text/html,x', 'x'])('%s is no page', (url) => {
    expect(pageUrl.safeParse(url).success).toBe(false)
  })
})

function nativeSetup() {
  const window = new FakeWindow()
  const tabs = new WebTabs(
    as(window),
    () => as(new FakeView()),
    new TabRules(() => [DESK]),
    () => undefined,
  )
  let handle: ((event: unknown, name: unknown, input: unknown) => Promise<unknown>) | undefined
  const secrets = new SecretBox(
    as({ getSelectedStorageBackend: () => 'basic_text', isAsyncEncryptionAvailable: async () => true }),
    'linux',
  )
  serveNative(as({ handle: (_channel: string, handler: typeof handle) => (handle = handler) }), {
    tabsOf: (contents) => (contents === as<WebContents>(DESK_CONTENTS) ? tabs : undefined),
    secrets,
    shell: { openExternal: async () => undefined },
    electronVersion: '45.4.1',
    deskUrl: () => DESK,
  })
  const desk = { sender: DESK_CONTENTS, senderFrame: { url: DESK, parent: null } }
  const call = (name: unknown, input: unknown, event: unknown = desk) =>
    (handle ?? (() => Promise.reject(new Error('no handler'))))(event, name, input)
  return { tabs, call }
}

describe('[EL2] the native contract', () => {
  it('answers the desk and refuses everyone else, unknown methods and bad input', async () => {
    const { call } = nativeSetup()
    await expect(call('host:info', {})).resolves.toEqual({ electron: '45.4.1', canSealSecrets: false })
    await expect(call('host:info', {}, { senderFrame: { url: 'https://evil.test/', parent: null } })).rejects.toThrow(
      /^native\/foreign-sender: /,
    )
    await expect(call('host:info', {}, { senderFrame: { url: DESK, parent: {} } })).rejects.toThrow(/^native\/foreign-sender: /)
    await expect(call('host:info', {}, { sender: {}, senderFrame: { url: DESK, parent: null } })).rejects.toThrow(
      /^native\/foreign-sender: /,
    )
    await expect(call('host:info', {}, { senderFrame: null })).rejects.toThrow(/^native\/foreign-sender: /)
    await expect(call('constructor', {})).rejects.toThrow(/^native\/unknown-method: /)
    await expect(call('tab:show', { tabId: 't', bounds: { x: 0.5, y: 0, width: 1, height: 1 } })).rejects.toThrow(/^native\/bad-input: /)
    await expect(call('page:open-outside', { url: 'file:///etc/passwd' })).rejects.toThrow(/^native\/bad-input: /)
    await expect(call('tab:navigate', { tabId: 'no', to: 'back' })).rejects.toThrow(/^native\/unknown-tab: /)
    await expect(
      call('tab:show', {
        tabId: 't',
        bounds: { x: 0, y: 0, width: 1, height: 1 },
        page: { history: { urls: [DESK], index: 0 }, scrollY: 0, byPerson: true },
      }),
    ).rejects.toThrow(/^native\/refused-address: /)
    await expect(call('secret:seal', { base64: 'aGk=' })).rejects.toThrow(/^native\/no-keystore: /)
  })

  /** Any call by the desk is answered, or refused with a code. @returns  refusals without one */
  async function fuzzNative(call: (name: unknown, input: unknown) => Promise<unknown>): Promise<readonly string[]> {
    const random = new SeededRandom(seedOfRun())
    const urls = ['https://a.test/', 'file:///x', DESK, '']
    const plausible = () => ({
      tabId: random.pick(['t', 'u', '']),
      bounds: { x: random.below(9), y: 0, width: random.below(900), height: 1.5 - random.below(2) / 2 },
      page: { history: { urls: [random.pick(urls)], index: random.below(2) }, scrollY: random.below(9), byPerson: random.chance(0.5) },
      picture: random.chance(0.5),
      to: random.pick(['back', 'stop', 'https://b.test/', 7]),
      url: random.pick(urls),
      question: random.below(4),
      allow: random.chance(0.5),
      bindings: ['Ctrl+K'],
      base64: random.pick(['aGk=', '!', 'x'.repeat(5_000)]),
    })
    const problems: string[] = []
    for (let n = 0; n < roundsOfRun(600, 20_000); n++) {
      const name = random.chance(0.05) ? oddValue(random) : random.pick(Object.keys(nativeMethods))
      const input = random.chance(0.6) ? plausible() : oddValue(random)
      await call(name, input).catch((error: unknown) => {
        if (!/^native\/[a-z-]+: /.test(String((error as Error).message)))
          problems.push(`${String(name)} ${JSON.stringify(input)}: ${error}`)
      })
    }
    return problems
  }

  it('answers any call with any input, or refuses it with a code (seeded)', async () => {
    const { call } = nativeSetup()
    expect({ seed: seedOfRun(), problems: await fuzzNative(call) }).toEqual({ seed: seedOfRun(), problems: [] })
  })

  it('the fuzz finds a call that breaks on a rare input (planted)', async () => {
    const { call, tabs } = nativeSetup()
    tabs.close = (tabId: string) => {
      if (tabId === 'u') throw new TypeError('planted')
    }
    expect((await fuzzNative(call)).join()).toContain('planted')
  })

  it('shows, moves, hides and closes a view', async () => {
    const { call, tabs } = nativeSetup()
    const bounds = { x: 10, y: 10, width: 100, height: 100 }
    await expect(call('tab:show', { tabId: 't', bounds })).rejects.toThrow(/^native\/unknown-tab: /)
    await call('tab:show', { tabId: 't', bounds, page: { history: { urls: ['https://a.test/'], index: 0 }, scrollY: 0, byPerson: true } })
    await expect(call('tab:hide', { tabId: 't', picture: true })).resolves.toEqual({ picture: expect.stringMatching(/^data:image\/jpeg;/) })
    await call('tab:close', { tabId: 't' })
    expect(tabs.count).toBe(0)
  })
})

describe('[EL3] the window without a device', () => {
  it('says so, tries again, and shows the desk when it is there', async () => {
    const window = new FakeWindow()
    const later: (() => void)[] = []
    const clock = {
      nowMs: () => 0,
      monotonicMs: () => 0,
      every: () => ({ dispose() {} }),
      after: (_ms: number, callback: () => void) => (later.push(callback), { dispose() {} }),
    }
    let running = false
    const shell = new ShellWindow(
      as(window),
      async () => {
        if (!running) throw new Error('no device listens')
        return `${DESK}?once=abc`
      },
      clock,
    )
    await shell.showDesk()
    expect(window.webContents.loaded).toEqual(['elsewhere://shell/away'])
    expect(shell.reason()).toBe('no device listens')
    expect(shell.deskUrl()).toBeUndefined()
    running = true
    later[0]?.()
    await vi.waitFor(() => expect(window.webContents.loaded.at(-1)).toBe(`${DESK}?once=abc`))
    expect(shell.deskUrl()).toBe(DESK)
  })

  it('serves one page under its scheme, escaped, with a policy that runs nothing', async () => {
    let handler: ((request: Request) => Response) | undefined
    serveAwayPage(as({ handle: (_scheme: string, serve: typeof handler) => (handler = serve) }), () => '<script>x</script>')
    const response = handler?.(new Request('elsewhere://shell/away'))
    expect(response?.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await response?.text()).not.toContain('<script>')
    expect(handler?.(new Request('elsewhere://shell/etc/passwd'))?.status).toBe(404)
  })
})

describe('[EL4] finding the desk', () => {
  it('reads its own arguments and leaves the rest to Electron', () => {
    expect(readArguments(['electron', '.', '--no-sandbox', '--entrance-file=/d/open-1.html'], {})).toEqual({
      dataFolder: '/d',
      entranceFile: '/d/open-1.html',
    })
    expect(readArguments(['electron', '.'], { ELSEWHERE_DATA: '/x' })).toEqual({ dataFolder: '/x', entranceFile: undefined })
    expect(entranceOf({ entranceFile: '/d/open-2.html' })).toBe('/d/open-2.html')
    expect(entranceOf({ entranceFile: 7 })).toBeUndefined()
    expect(entranceOf(undefined)).toBeUndefined()
  })

  it('takes an address out of an entrance page, and nothing but an address of a desk', () => {
    expect(urlOfEntrance('<meta http-equiv="refresh" content="0;url=http://abc.localhost:4170/enter?once=x">')).toBe(
      'http://abc.localhost:4170/enter?once=x',
    )
    expect(() => urlOfEntrance('<meta http-equiv="refresh" content="0;url=file:///etc/passwd">')).toThrow('is not one')
  })
})
