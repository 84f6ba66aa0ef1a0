// Which room under src/ may import which (ARCHITECTURE.md, section 2). Read top to bottom: lower layers first.
const MAY_IMPORT = {
  base: [],
  session: ['base'],
  sync: ['base'],
  identity: ['base'],
  rpc: ['base'],
  files: ['base', 'rpc'],
  jobs: ['base', 'rpc', 'files'],
  device: ['base', 'session', 'sync', 'identity', 'rpc', 'files', 'jobs'],
  platform: ['base', 'sync', 'identity', 'rpc', 'files', 'jobs', 'device'],
  renderer: ['base', 'session', 'rpc'],
  main: ['base', 'session', 'rpc', 'device', 'platform'],
  testkit: ['base', 'session', 'sync', 'identity', 'rpc', 'files', 'jobs', 'device', 'platform'],
}
// The floors of src/renderer/, lowest first: a folder may import those before it, and itself.
const RENDERER_FLOORS = ['theme', 'ui', 'desk', 'native', 'screens', 'apps', 'window', 'dock', 'shell']
const TEST_FILE = '\\.(test|suite)\\.tsx?$|^src/testkit/'
const CONTRACT_FILE = '(-|/)contract\\.ts$' // RPC contracts are the public face of a room

const layerRules = Object.entries(MAY_IMPORT).map(([room, allowed]) => ({
  name: `layer-${room}`,
  comment: `src/${room} may import: ${[room, ...allowed].join(', ')} (and *-contract.ts of any room). See ARCHITECTURE.md, section 2.`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: [TEST_FILE, CONTRACT_FILE].filter((pattern) => room !== 'testkit' || pattern === CONTRACT_FILE) },
  to: { path: '^src/', pathNot: [`^src/(${[room, ...allowed].join('|')})/`, CONTRACT_FILE] },
}))

const floorRules = RENDERER_FLOORS.slice(0, -1).map((floor, at) => ({
  name: `renderer-floor-${floor}`,
  comment: `src/renderer/${floor} may import of the renderer: ${RENDERER_FLOORS.slice(0, at + 1).join(', ')}. See ARCHITECTURE.md, section 2.`,
  severity: 'error',
  from: { path: `^src/renderer/${floor}/` },
  to: { path: `^src/renderer/(${RENDERER_FLOORS.slice(at + 1).join('|')})/` },
}))

module.exports = {
  forbidden: [
    ...layerRules,
    ...floorRules,
    {
      name: 'contracts-stay-thin',
      comment: 'A contract is read by other processes: it may know only base and rpc.',
      severity: 'error',
      from: { path: CONTRACT_FILE },
      to: { path: '^src/', pathNot: ['^src/(base|rpc)/', CONTRACT_FILE] },
    },
    {
      name: 'device-parts-do-not-know-the-whole',
      comment: 'what create-device.ts joins is given what it needs; it never reaches for the device',
      severity: 'error',
      from: { path: '^src/device/[^/]+/', pathNot: TEST_FILE },
      to: { path: '^src/device/create-' },
    },
    { name: 'no-cycles', comment: 'Two files that need each other are one idea.', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'electron-only-in-main',
      comment: 'importing electron from plain Node blocks on a download',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/main/electron/' },
      to: { path: '(^|node_modules/)electron(/|$)' },
    },
    {
      name: 'node-builtins-only-in-node-hosts',
      comment: 'portable rooms run in a browser worker and in tests with no platform',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(main|platform/node)/', TEST_FILE] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'react-only-in-renderer-and-tui',
      comment: 'state and rules must not depend on how they are drawn',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(renderer|main/cli/tui)/', TEST_FILE] },
      to: { path: 'node_modules/(react|react-dom|zustand)/' },
    },
    {
      name: 'no-test-code-in-product',
      comment: 'fakes must not reach a person',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST_FILE },
      to: { path: TEST_FILE },
    },
    {
      name: 'renderer-never-loads-node-platform',
      comment: 'a display has no Node, not even indirectly',
      severity: 'error',
      from: { path: '^src/renderer/', pathNot: TEST_FILE },
      to: { path: '^src/platform/node/', reachable: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.css'] },
  },
}
