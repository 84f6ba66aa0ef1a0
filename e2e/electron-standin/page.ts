/*
 * The page's half of the stand-in: text that Chromium runs before the page's own scripts. `contextBridge` crosses from
 * the isolated world by CustomEvents, whose detail is cloned between worlds and whose dispatch is synchronous.
 * Only what our preload uses: functions that return promises, and one subscription.
 */

export const WORLD = 'Electron Isolated Context'
export const BINDING = '__standinSend'

/** Main world: builds the exposed object out of names that the isolated world announces. */
export const mainWorld = (key: string): string => `((key) => {
  let nextCall = 0
  const waiting = new Map()
  const callbacks = new Map()
  addEventListener(key + 'expose', ({ detail: { name, methods } }) => {
    const api = {}
    for (const method of methods) {
      api[method] = (...args) => {
        const id = ++nextCall
        const passed = args.map((arg) => {
          if (typeof arg !== 'function') return { value: arg }
          callbacks.set(id, arg)
          return { callback: id }
        })
        const done = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
        let returned
        const listen = ({ detail }) => { if (detail.id === id) returned = detail }
        addEventListener(key + 'returned', listen)
        dispatchEvent(new CustomEvent(key + 'call', { detail: { id, name, method, args: passed } }))
        removeEventListener(key + 'returned', listen)
        if (returned?.kind === 'function') return () => dispatchEvent(new CustomEvent(key + 'stop', { detail: { id } }))
        return done
      }
    }
    Object.defineProperty(window, name, { value: Object.freeze(api), writable: false, configurable: false })
  })
  addEventListener(key + 'settled', ({ detail: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    error === undefined ? resolve(value) : reject(new Error(error))
  })
  addEventListener(key + 'callback', ({ detail: { id, args } }) => callbacks.get(id)?.(...args))
})(${JSON.stringify(key)})`

/** Isolated world: `require('electron')` for a sandboxed preload, and nothing else. */
export const isolatedWorld = (key: string, preload: string): string => `((key, preload) => {
  const fire = (name, detail) => dispatchEvent(new CustomEvent(key + name, { detail }))
  const post = (message) => globalThis.${BINDING}(JSON.stringify(message))
  const invoking = new Map(), listeners = new Map(), exposed = new Map(), stops = new Map()
  let lastId = 0
  const ipcRenderer = {
    invoke: (channel, ...args) => new Promise((resolve, reject) => { const id = ++lastId; invoking.set(id, { resolve, reject }); post({ kind: 'invoke', id, channel, args }) }),
    on: (channel, listener) => { listeners.set(channel, [...(listeners.get(channel) ?? []), listener]); return ipcRenderer },
    removeListener: (channel, listener) => { listeners.set(channel, (listeners.get(channel) ?? []).filter((one) => one !== listener)); return ipcRenderer },
  }
  const contextBridge = { exposeInMainWorld(name, api) { exposed.set(name, api); fire('expose', { name, methods: Object.keys(api) }) } }
  addEventListener(key + 'call', ({ detail: { id, name, method, args } }) => {
    const plain = args.map((arg) => ('callback' in arg ? (...values) => fire('callback', { id: arg.callback, args: values }) : arg.value))
    const result = exposed.get(name)[method](...plain)
    if (typeof result === 'function') { stops.set(id, result); fire('returned', { id, kind: 'function' }); return }
    Promise.resolve(result).then((value) => fire('settled', { id, value }), (error) => fire('settled', { id, error: String(error?.message ?? error) }))
  })
  addEventListener(key + 'stop', ({ detail: { id } }) => { stops.get(id)?.(); stops.delete(id) })
  globalThis.__standinReceive = (text) => {
    const message = JSON.parse(text)
    if (message.kind === 'event') { for (const listener of listeners.get(message.channel) ?? []) listener({}, ...message.args); return }
    const { resolve, reject } = invoking.get(message.id)
    invoking.delete(message.id)
    message.error === undefined ? resolve(message.value) : reject(new Error(message.error))
  }
  const require = (name) => { if (name === 'electron') return { ipcRenderer, contextBridge }; throw new Error('module not found: ' + name) }
  const module = { exports: {} }
  try { new Function('require', 'module', 'exports', preload)(require, module, module.exports) } catch (error) { post({ kind: 'preload-error', message: String(error?.stack ?? error) }) }
})(${JSON.stringify(key)}, ${JSON.stringify(preload)})`
