import { DomainError } from '../../base/errors.ts'
import {
  type NativeBridge,
  type NativeEvent,
  type NativeInput,
  type NativeMethod,
  type NativeOutput,
  nativeEvent,
  nativeMethods,
} from '../../main/electron/native-contract.ts'

/** What the shell refused. `code` is one of NativeErrorCode (main/electron/native-error.ts), or `native/unreadable`. */
export class NativeCallError extends DomainError {
  override readonly name = 'NativeCallError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** Electron hands on only the message, with words of its own before it. */
  static from(cause: unknown): NativeCallError {
    const text = cause instanceof Error ? cause.message : String(cause)
    const [, code = 'native/unreadable', message = text] = /(native\/[a-z-]+): (.*)$/s.exec(text) ?? []
    return new NativeCallError(code, `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`, { cause })
  }
}

/** The native parts of the host this page runs in. Checks what goes out and what comes back; knows nothing of the desk. */
export class NativeHost {
  readonly #bridge: NativeBridge

  constructor(bridge: NativeBridge) {
    this.#bridge = bridge
  }

  /** @throws NativeCallError */
  async call<M extends NativeMethod>(method: M, input: NativeInput<M>): Promise<NativeOutput<M>> {
    try {
      const answer = await this.#bridge.invoke(method, nativeMethods[method].input.parse(input))
      return nativeMethods[method].output.parse(answer) as NativeOutput<M>
    } catch (cause) {
      throw NativeCallError.from(cause)
    }
  }

  /** Events that are none of the contract's are passed over. Returns the function that stops it. */
  onEvent(listener: (event: NativeEvent) => void): () => void {
    return this.#bridge.onEvent((raw) => {
      const event = nativeEvent.safeParse(raw)
      if (event.success) listener(event.data)
    })
  }
}

/** The host's native parts, where it has any: undefined in every browser. */
export function findNativeHost(page: object): NativeHost | undefined {
  const bridge: unknown = Reflect.get(page, 'elsewhereNative')
  return isBridge(bridge) ? new NativeHost(bridge) : undefined
}

const isBridge = (value: unknown): value is NativeBridge =>
  value !== null && typeof value === 'object' && ['invoke', 'onEvent'].every((name) => typeof Reflect.get(value, name) === 'function')

/** Of this page. A page does not move to another host. */
export const nativeHost: NativeHost | undefined = findNativeHost(globalThis)
