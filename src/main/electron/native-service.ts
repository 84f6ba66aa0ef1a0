import type { IpcMain, IpcMainInvokeEvent, Shell, WebContents } from 'electron'
import * as z from 'zod'
import { isSameOrigin } from './guards.ts'
import { nativeMethods, type NativeInput, type NativeMethod, type NativeOutput } from './native-contract.ts'
import { NativeError } from './native-error.ts'
import type { SecretBox } from './secret-box.ts'
import type { WebTabs } from './web-tabs.ts'

export interface NativeParts {
  /** The views over the window that shows these contents. */
  readonly tabsOf: (contents: WebContents) => WebTabs | undefined
  readonly secrets: SecretBox
  readonly shell: Pick<Shell, 'openExternal'>
  readonly electronVersion: string
  /** The desk's address; a call from any other frame is refused. */
  readonly deskUrl: () => string | undefined
}

type Handlers = {
  [M in NativeMethod]: (input: z.output<(typeof nativeMethods)[M]['input']>, tabs: WebTabs) => Promise<NativeOutput<M>> | NativeOutput<M>
}

function handlers({ secrets, shell, electronVersion }: NativeParts): Handlers {
  return {
    'host:info': async () => ({ electron: electronVersion, canSealSecrets: await secrets.isAvailable() }),
    'host:keys': ({ bindings }, tabs) => {
      tabs.keepKeys(bindings)
      return {}
    },
    'tab:show': async ({ tabId, bounds, page }, tabs) => {
      await tabs.show(tabId, bounds, page)
      return {}
    },
    'tab:hide': async ({ tabId, picture }, tabs) => ({ picture: await tabs.hide(tabId, picture) }),
    'tab:navigate': async ({ tabId, to }, tabs) => {
      await tabs.view(tabId).navigate(to)
      return {}
    },
    'tab:focus': ({ tabId }, tabs) => {
      tabs.view(tabId).view.webContents.focus()
      return {}
    },
    'tab:edit': ({ tabId, what }, tabs) => {
      tabs.view(tabId).view.webContents[what]()
      return {}
    },
    'tab:answer': ({ tabId, question, allow }, tabs) => {
      tabs.view(tabId).answer(question, allow)
      return {}
    },
    'tab:close': ({ tabId }, tabs) => {
      tabs.close(tabId)
      return {}
    },
    'page:open-outside': async ({ url }) => {
      await shell.openExternal(url)
      return {}
    },
    'secret:seal': async ({ base64 }) => ({ base64: await secrets.seal(base64) }),
    'secret:open': async ({ base64 }) => ({ base64: await secrets.open(base64) }),
  }
}

/** Only the desk's own top frame may call: not a page in a tab, not a frame inside the desk. */
function mustBeDesk(event: IpcMainInvokeEvent, deskUrl: string | undefined): void {
  const frame = event.senderFrame // null once the frame has gone
  if (frame && frame.parent === null && isSameOrigin(frame.url, deskUrl ?? '')) return
  throw new NativeError(
    'native/foreign-sender',
    `a call from ${frame ? frame.url : 'a frame that has gone'} was refused; only the desk may ask`,
  )
}

/** Answers the native contract. Sender, method name and arguments are checked before anything else happens. */
export function serveNative(ipcMain: Pick<IpcMain, 'handle'>, parts: NativeParts): void {
  const table = handlers(parts)
  ipcMain.handle('native', async (event, name: unknown, input: unknown) => {
    mustBeDesk(event, parts.deskUrl())
    const tabs = parts.tabsOf(event.sender)
    if (!tabs) throw new NativeError('native/foreign-sender', 'a call from a window that has gone was refused')
    if (typeof name !== 'string' || !Object.hasOwn(nativeMethods, name))
      throw new NativeError('native/unknown-method', `no method ${JSON.stringify(name)?.slice(0, 80)}`)
    const method = name as NativeMethod
    const parsed = nativeMethods[method].input.safeParse(input)
    if (!parsed.success) throw new NativeError('native/bad-input', `${method}: ${z.prettifyError(parsed.error)}`)
    const answer = await (table[method] as (value: NativeInput<typeof method>, views: WebTabs) => unknown)(
      parsed.data as NativeInput<typeof method>,
      tabs,
    )
    return nativeMethods[method].output.parse(answer)
  })
}
