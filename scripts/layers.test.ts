import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LayerReport } from './layers.ts'
import { inProject } from './project.ts'

let root = ''

/** One violation per rule: what is planted, and the rule that must name it. */
const PLANTED: readonly { rule: string; file: string; code: string }[] = [
  { rule: 'layer-base', file: 'base/a.ts', code: "import '../session/ok.ts'" },
  { rule: 'layer-session', file: 'session/a.ts', code: "import '../sync/ok.ts'" },
  { rule: 'layer-sync', file: 'sync/a.ts', code: "import '../identity/ok.ts'" },
  { rule: 'layer-identity', file: 'identity/a.ts', code: "import '../sync/ok.ts'" },
  { rule: 'layer-rpc', file: 'rpc/a.ts', code: "import '../device/ok.ts'" },
  { rule: 'layer-files', file: 'files/a.ts', code: "import '../jobs/ok.ts'" },
  { rule: 'layer-jobs', file: 'jobs/a.ts', code: "import '../device/ok.ts'" },
  { rule: 'layer-device', file: 'device/a.ts', code: "import '../platform/node/ok.ts'" },
  { rule: 'layer-platform', file: 'platform/node/a.ts', code: "import '../../session/ok.ts'" },
  { rule: 'layer-renderer', file: 'renderer/a.ts', code: "import '../sync/ok.ts'" },
  { rule: 'layer-main', file: 'main/a.ts', code: "import '../jobs/ok.ts'" },
  { rule: 'layer-testkit', file: 'testkit/a.ts', code: "import '../main/ok.ts'" },
  { rule: 'contracts-stay-thin', file: 'jobs/a-contract.ts', code: "import '../jobs/ok.ts'" },
  { rule: 'device-parts-do-not-know-the-whole', file: 'device/jobs/a.ts', code: "import '../create-ok.ts'" },
  { rule: 'no-cycles', file: 'base/b.ts', code: "import './c.ts'" },
  { rule: 'electron-only-in-main', file: 'main/b.ts', code: "import 'electron'" },
  { rule: 'node-builtins-only-in-node-hosts', file: 'sync/b.ts', code: "import 'node:fs'" },
  { rule: 'react-only-in-renderer-and-tui', file: 'session/b.ts', code: "import 'react'" },
  { rule: 'no-test-code-in-product', file: 'session/c.ts', code: "import './thing.test.ts'" },
  { rule: 'renderer-floor-theme', file: 'renderer/theme/a.ts', code: "import '../ui/ok.ts'" },
  { rule: 'renderer-floor-ui', file: 'renderer/ui/a.ts', code: "import '../desk/ok.ts'" },
  { rule: 'renderer-floor-desk', file: 'renderer/desk/a.ts', code: "import '../window/ok.ts'" },
  { rule: 'renderer-floor-screens', file: 'renderer/screens/a.ts', code: "import '../shell/ok.ts'" },
  { rule: 'renderer-floor-apps', file: 'renderer/apps/a.ts', code: "import '../window/ok.ts'" },
  { rule: 'renderer-floor-window', file: 'renderer/window/a.ts', code: "import '../dock/ok.ts'" },
  { rule: 'renderer-floor-dock', file: 'renderer/dock/a.ts', code: "import '../shell/ok.ts'" },
  { rule: 'renderer-never-loads-node-platform', file: 'renderer/b.ts', code: "import '../platform/node/ok.ts'" },
]

const FLOORS = ['ui', 'desk', 'window', 'dock', 'shell']

async function write(file: string, code: string): Promise<void> {
  await mkdir(path.join(root, 'src', path.dirname(file)), { recursive: true })
  await writeFile(path.join(root, 'src', file), `${code}\nexport const x = 1\n`)
}

async function report(): Promise<LayerReport> {
  const code = `import { checkLayers } from ${JSON.stringify(inProject('scripts/layers.ts'))}; console.log(JSON.stringify(await checkLayers(${JSON.stringify(root)})))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { cwd: root })
  return JSON.parse(stdout)
}

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'elsewhere-layers-'))
  await symlink(inProject('node_modules'), path.join(root, 'node_modules'))
  for (const room of [
    'session',
    'sync',
    'identity',
    'files',
    'jobs',
    'device',
    'platform/node',
    'main',
    ...FLOORS.map((floor) => `renderer/${floor}`),
  ])
    await write(`${room}/ok.ts`, '')
  await write('device/create-ok.ts', '')
})
afterAll(() => rm(root, { recursive: true, force: true }))

it('names the rule of every planted violation, and nothing where nothing is planted', async () => {
  const clean = await report()
  expect(clean.violations).toEqual([])
  expect(clean.modulesSeen).toBe(clean.filesThere)
  for (const { file, code } of PLANTED) await write(file, code)
  await write('base/c.ts', "import './b.ts'")
  await write('session/thing.test.ts', '')
  const { violations } = await report()
  for (const { rule, file } of PLANTED) {
    expect(
      violations.some((violation) => violation.rule === rule && violation.from === `src/${file}`),
      `${rule} at ${file}`,
    ).toBe(true)
  }
})
