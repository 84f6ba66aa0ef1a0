import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// y-webrtc hard-wires simple-peer; ours is the only peer it ever meets (ARCHITECTURE.md, section 4).
const lanePeer = fileURLToPath(new URL('./src/sync/lane-peer.ts', import.meta.url))

export default defineConfig({
  resolve: { alias: { 'simple-peer/simplepeer.min.js': lanePeer } },
  test: {
    server: { deps: { inline: ['y-webrtc'] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
          exclude: ['src/**/*.integration.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: { name: 'e2e', retry: 2, include: ['e2e/**/*.e2e.ts'], testTimeout: 180_000, hookTimeout: 180_000, fileParallelism: false },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          retry: 1,
          include: ['src/**/*.integration.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
