import { create } from 'zustand'
import type { KeyBinding } from '../../base/key-binding.ts'
import { type CommandId, createKeymap, type KeyHost, type Keymap, type KeyOverrides } from './desk-commands.ts'

/** Electron and installed app windows keep no keys for themselves; a plain tab does. */
export const keyHost = (): KeyHost =>
  matchMedia('(display-mode: browser)').matches && !navigator.userAgent.includes('Electron/') ? 'browser' : 'app'

const useKeymapStore = create<{ readonly keymap: Keymap }>(() => ({ keymap: createKeymap('browser') }))

/** Joins the person's own bindings, which follow in the workspace, with the defaults of this host. */
export const setKeyOverrides = (overrides: KeyOverrides): void => useKeymapStore.setState({ keymap: createKeymap(keyHost(), overrides) })

/** Returns the function that stops it. */
export const onKeymapChange = (listener: () => void): (() => void) => useKeymapStore.subscribe(listener)

export const keymapNow = (): Keymap => useKeymapStore.getState().keymap

/** The binding to show beside a command, for menus built in handlers. */
export const keysOf = (id: CommandId): KeyBinding | undefined => keymapNow().keysOf(id)

/** The same for components: renews when the person rebinds. */
export const useKeys = (id: CommandId): KeyBinding | undefined => useKeymapStore((state) => state.keymap.keysOf(id))
