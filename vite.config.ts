import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/**
 * The renderer: static files in dist/renderer, served by the device with script-src 'self'. Nothing inline, so that the
 * policy needs no exception; every app is its own chunk (budget before first paint: 300 kB gzip).
 */
export default defineConfig({
  root: at('./src/renderer'),
  base: '/',
  plugins: [react()],
  build: {
    outDir: at('./dist/renderer'),
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // data: URLs would need an exception in the policy
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
})
