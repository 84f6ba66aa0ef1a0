import type { Page } from 'playwright-core'
import {
  type NativeEvent,
  type NativeMethod,
  type NativeOutput,
  nativeEvent,
  nativeMethods,
} from '../../src/main/electron/native-contract.ts'
import { NativeError } from '../../src/main/electron/native-error.ts'

export interface FakeView {
  bounds: { x: number; y: number; width: number; height: number }
  visible: boolean
  /** What it began with. */
  page: { history: { urls: string[]; index: number }; scrollY: number; byPerson: boolean }
}

/** What any call may carry: parsed by the contract, read by method. */
interface CallInput extends Record<string, unknown> {
  readonly tabId: string
  readonly bounds: FakeView['bounds']
  readonly page: FakeView['page']
  readonly picture: boolean
  readonly to: string
  readonly base64: string
}

/** The one address that this shell refuses. */
const REFUSED = 'https://refused.test/'
/** One grey pixel. */
const PICTURE = 'data:image/gif;base64,R0lGODlhAQABAIAAAICAgAAAACwAAAAAAQABAAACAkQBADs='

/**
 * The shell's side of the native contract, without a shell: keeps what it is told, so that a test sees what the desk asks of a
 * host with views. Parses every call and every event as main and renderer do. Shows nothing.
 */
export class FakeShell {
  readonly calls: { method: NativeMethod; input: Record<string, unknown> }[] = []
  readonly views = new Map<string, FakeView>()
  readonly closed: string[] = []
  /** The system's key store; its lack is told as `canSealSecrets`. */
  hasKeyStore = false
  readonly #page: Page
  #tabsMade = 0

  private constructor(page: Page) {
    this.#page = page
  }

  /** Use as a display's `prepare`. */
  static async under(page: Page): Promise<FakeShell> {
    const shell = new FakeShell(page)
    await page.exposeFunction('elsewhereFakeInvoke', (method: NativeMethod, input: unknown) => shell.#invoke(method, input))
    await page.addInitScript(() => {
      const listeners = new Set<(event: unknown) => void>()
      Object.assign(globalThis, {
        elsewhereFakeEmit: (event: unknown) => listeners.forEach((listener) => listener(event)),
        elsewhereNative: Object.freeze({
          invoke: (method: string, input: unknown) => Reflect.get(globalThis, 'elsewhereFakeInvoke')(method, input),
          onEvent: (listener: (event: unknown) => void) => {
            listeners.add(listener)
            return () => listeners.delete(listener)
          },
        }),
      })
    })
    return shell
  }

  get visible(): FakeView[] {
    return [...this.views.values()].filter((view) => view.visible)
  }

  /** The tab whose view shows, or was shown last. */
  get tabId(): string {
    const [tabId] = [...this.views].findLast(([, view]) => view.visible) ?? [...this.views].at(-1) ?? []
    if (tabId === undefined) throw new Error('no view was asked for')
    return tabId
  }

  made(): number {
    return this.#tabsMade
  }

  async emit(event: NativeEvent): Promise<void> {
    await this.#page.evaluate((sent) => Reflect.get(globalThis, 'elsewhereFakeEmit')(sent), nativeEvent.parse(event))
  }

  /** What a view tells after it went somewhere. */
  async went(
    urls: readonly string[],
    more: Partial<Extract<NativeEvent, { type: 'tab-changed' }>> = {},
    tabId = this.tabId,
  ): Promise<void> {
    await this.emit({
      type: 'tab-changed',
      tabId,
      history: { urls: [...urls], index: urls.length - 1 },
      title: 'A page',
      loading: false,
      canGoBack: urls.length > 1,
      canGoForward: false,
      scrollY: 0,
      byPerson: true,
      ...more,
    })
  }

  #invoke(method: NativeMethod, raw: unknown): unknown {
    const input = nativeMethods[method].input.parse(raw) as CallInput
    this.calls.push({ method, input })
    return nativeMethods[method].output.parse(this.#answer(method, input))
  }

  #answer(method: NativeMethod, { tabId, bounds, page, picture, base64, to }: CallInput): NativeOutput<NativeMethod> {
    const view = this.views.get(tabId)
    switch (method) {
      case 'host:info':
        return { electron: '0.0.0', canSealSecrets: this.hasKeyStore }
      case 'tab:show':
        if (!view && !page) throw new NativeError('native/unknown-tab', 'it has no view')
        if (!view) this.#tabsMade++
        this.views.delete(tabId)
        this.views.set(tabId, { page: view?.page ?? page, bounds, visible: true })
        return {}
      case 'tab:hide': {
        const shown = view?.visible
        if (view) view.visible = false
        return { picture: shown && picture ? PICTURE : null }
      }
      case 'tab:navigate':
        if (!view) throw new NativeError('native/unknown-tab', 'it has no view')
        if (to === REFUSED) throw new NativeError('native/refused-address', 'that is not opened here')
        return {}
      case 'tab:close':
        if (this.views.delete(tabId)) this.closed.push(tabId)
        return {}
      case 'secret:seal':
      case 'secret:open':
        if (!this.hasKeyStore) throw new NativeError('native/no-keystore', 'no key store')
        return { base64: [...base64].toReversed().join('') }
      default:
        return {}
    }
  }
}
