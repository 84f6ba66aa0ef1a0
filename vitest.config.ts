import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// y-webrtc hard-wires simple-peer; ours is the only peer it ever meets (ARCHITECTURE.md, section 4).
const lanePeer = fileURLToPath(new URL('./src/sync/lane-peer.ts', import.meta.url))

/** Node itself reads the modules of these tests (scripts/test-modules.ts): vite took processor time to send them. */
const readByNode = {
  experimental: { viteModuleRunner: false },
  execArgv: ['--import', new URL('./scripts/test-modules.ts', import.meta.url).href],
}

const setupFiles = [fileURLToPath(new URL('./src/testkit/seed-properties.ts', import.meta.url))]

/** `npm run test:long`: a fuzz at full length takes minutes, on a busy machine many. A test that hangs is still ended. */
const isLong = ![undefined, 'quick'].includes(process.env.ELSEWHERE_ROUNDS)
const LONG_MS = 1_800_000

export default defineConfig({
  resolve: { alias: { 'simple-peer/simplepeer.min.js': lanePeer } },
  test: {
    server: { deps: { inline: ['y-webrtc'] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // A test that needs a second try is named at the end of the run (scripts/retry-reporter.ts): look at it.
          retry: 1,
          include: ['src/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
          exclude: ['src/**/*.integration.test.ts', 'src/**/*.world.test.ts'],
          testTimeout: isLong ? LONG_MS : 60_000,
          hookTimeout: 60_000,
          setupFiles,
          // No module keeps state (R4), so the files of one worker share what they loaded: half the processor time of a run.
          isolate: false,
          maxWorkers: '100%',
          ...readByNode,
        },
      },
      {
        extends: true,
        test: {
          // Whole devices in memory, on a network in memory: they wait for each other most of their time.
          name: 'world',
          retry: 1,
          include: ['src/**/*.world.test.ts'],
          testTimeout: isLong ? LONG_MS : 60_000,
          hookTimeout: 60_000,
          setupFiles,
          isolate: false,
          maxWorkers: 3,
          ...readByNode,
          // Vitest runs projects with other numbers of workers after each other only when told.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          retry: 2,
          include: ['e2e/**/*.e2e.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // They wait most of their time, each for devices, folders, ports and namespaces of its own.
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          retry: 1,
          setupFiles,
          include: ['src/**/*.integration.test.ts'],
          testTimeout: isLong ? LONG_MS : 120_000,
          hookTimeout: 60_000,
          // As the end-to-end tests: they wait for disks, mounts and programs, each with folders and namespaces of its own.
          maxWorkers: 2,
        },
      },
    ],
  },
})
