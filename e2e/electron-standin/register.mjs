// node --import ./e2e/electron-standin/register.mjs dist/electron/main.mjs: there, "electron" is the stand-in.
import { registerHooks } from 'node:module'

const url = new URL('./electron.ts', import.meta.url).href
registerHooks({
  resolve: (specifier, context, next) => (specifier === 'electron' ? { url, shortCircuit: true } : next(specifier, context)),
})
