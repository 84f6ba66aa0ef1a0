import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import { useLanePeer } from '../src/testkit/lane-peer-hook.ts'

// Loaded first by every worker of unit and world tests (vitest.config.ts): Node itself reads their modules, as it reads those of
// the device. It strips types, but knows neither JSX nor styles, which a few tests of the renderer reach.

/** What Node is to run in the file's place, if it is one that it cannot read. */
function readable(url: string): string | undefined {
  const { protocol, pathname } = new URL(url)
  if (protocol !== 'file:' || pathname.includes('/node_modules/')) return undefined
  if (pathname.endsWith('.css')) return ''
  if (!pathname.endsWith('.tsx')) return undefined
  const file = fileURLToPath(url)
  return transformSync(readFileSync(file, 'utf8'), { loader: 'tsx', jsx: 'automatic', sourcefile: file, sourcemap: 'inline' }).code
}

useLanePeer()
registerHooks({
  load(url, context, next) {
    const source = readable(url)
    return source === undefined ? next(url, context) : { format: 'module', shortCircuit: true, source }
  },
})
