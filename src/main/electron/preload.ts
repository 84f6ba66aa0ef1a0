import { contextBridge, ipcRenderer } from 'electron'

// Kept free of imports from the project: a sandboxed preload is one CommonJS file, and it must hold no logic.
// main checks the method's name, the sender and every argument; see native-contract.ts.
contextBridge.exposeInMainWorld('elsewhereNative', {
  invoke: (method: string, input: unknown) => ipcRenderer.invoke('native', method, input),
  onEvent: (listener: (event: unknown) => void) => {
    const handle = (_sender: unknown, event: unknown) => listener(event)
    ipcRenderer.on('native:event', handle)
    return () => ipcRenderer.removeListener('native:event', handle)
  },
})
