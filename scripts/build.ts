import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build as bundle, stop as stopBundler } from 'esbuild'
import { BROTLI_EXTENSION, COMPRESSIBLE, compressBrotli } from '../src/main/daemon/compression.ts'
import { inProject, run } from './project.ts'

/** Loaded from node_modules at run time: native code, or a package whose files must stay apart. */
const EXTERNAL = ['node-datachannel', 'sodium-native', '@lydell/node-pty', 'koffi', 'electron', 'fsevents']

/** Some bundled packages are CommonJS inside an ES module: they need a `require`. */
const REQUIRE_BANNER = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"

/** What several processes share, and what is loaded when first needed. Beside the processes: some code asks where it lies. */
const CHUNK = /-[A-Z0-9]{8}\.mjs(\.map)?$/

const DAEMON_ENTRIES = ['supervisor', 'device-main', 'host-main', 'files-main']

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )

/**
 * Processes of a device and the CLI: plain Node 24 ES modules, one bundle each; what is imported when it is first needed (the
 * Solana libraries) lies in chunks beside, so that no start reads it. A test may put another package in the place of one.
 */
export async function buildDaemon(outdir = inProject('dist'), alias: Readonly<Record<string, string>> = {}): Promise<void> {
  const entries = DAEMON_ENTRIES.map((name) => ({ in: inProject('src/main/daemon', `${name}.ts`), out: `daemon/${name}` }))
  entries.push({ in: inProject('src/main/cli/cli.ts'), out: 'cli/cli' })
  const daemon = path.join(outdir, 'daemon')
  for (const name of await readdir(daemon).catch(() => [])) if (CHUNK.test(name)) await rm(path.join(daemon, name))
  await bundle({
    entryPoints: entries,
    outdir,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    chunkNames: 'daemon/[name]-[hash]',
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: 'linked',
    external: EXTERNAL,
    alias: { 'simple-peer/simplepeer.min.js': inProject('src/sync/lane-peer.ts'), ...alias },
    banner: { js: REQUIRE_BANNER },
    logLevel: 'warning',
  })
}

/** Electron's main (ES module) and preload (CommonJS: a sandboxed preload can be nothing else). */
export async function buildElectron(): Promise<void> {
  const main = inProject('src/main/electron/main.ts')
  const preload = inProject('src/main/electron/preload.ts')
  if (!(await exists(main))) return
  const shared = { bundle: true, platform: 'node', target: 'node22', external: EXTERNAL, sourcemap: 'linked', logLevel: 'warning' } as const
  await bundle({
    ...shared,
    entryPoints: [main],
    outfile: inProject('dist/electron/main.mjs'),
    format: 'esm',
    banner: { js: REQUIRE_BANNER },
  })
  await bundle({ ...shared, entryPoints: [preload], outfile: inProject('dist/electron/preload.cjs'), format: 'cjs' })
}

export async function buildRenderer(): Promise<void> {
  const { code, output } = await run('vite', ['build', '--logLevel', 'warn'])
  if (code !== 0) throw new Error(`build: vite failed\n${output}`)
  await compressFolder(inProject('dist/renderer'))
}

/**
 * Lays FILE.br beside each file that gets smaller by it. Done here, once: a device that compresses when it is first asked has no
 * processor left for the display that waits for the files.
 */
async function compressFolder(folder: string): Promise<void> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => COMPRESSIBLE.has(path.extname(name)))
  await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name)
      const compressed = await compressBrotli(await readFile(file))
      await writeFile(`${file}${BROTLI_EXTENSION}`, compressed)
    }),
  )
}

const SOURCES = ['src', 'assets', 'vite.config.ts', 'package-lock.json', 'scripts/build.ts']
const STAMP = 'dist/.built'

async function newestMs(file: string): Promise<number> {
  const info = await stat(file).catch(() => undefined)
  if (!info) return 0
  if (!info.isDirectory()) return info.mtimeMs
  const inside = await readdir(file)
  const times = await Promise.all(inside.map((name) => newestMs(path.join(file, name))))
  return Math.max(0, ...times)
}

/** Whether `dist/` is missing or older than what it is made from. */
export async function isBuildStale(): Promise<boolean> {
  const built = await stat(inProject(STAMP)).catch(() => undefined)
  if (!built) return true
  const times = await Promise.all(SOURCES.map((name) => newestMs(inProject(name))))
  return Math.max(...times) > built.mtimeMs
}

/** Builds everything into dist/. */
export async function buildAll(): Promise<void> {
  await mkdir(inProject('dist'), { recursive: true })
  await Promise.all([buildDaemon(), buildElectron(), buildRenderer()])
  await writeFile(inProject(STAMP), `${new Date().toISOString()}\n`)
}

export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--if-stale') && !(await isBuildStale())) return 0
  const startedMs = performance.now()
  if (args.includes('--if-stale')) console.log('building what is missing or old: a few seconds')
  await buildAll()
  await stopBundler() // its service would stay as long as `npm start` does
  console.log(`built dist/ in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  return 0
}
