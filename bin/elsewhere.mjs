#!/usr/bin/env node
// The command line. Plain JavaScript that old Nodes can read: it finds Node 24 (which comes as an optional dependency) and
// runs the built command line with it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const cli = path.join(root, 'dist', 'cli', 'cli.mjs')
if (!existsSync(cli)) {
  console.error(`elsewhere: ${cli} is not built. Run "npm run build" in ${root}.`)
  process.exit(1)
}
if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(cli)
} else {
  const own = path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
  if (!existsSync(own)) {
    console.error(
      `elsewhere: this needs Node 24, and this is Node ${process.versions.node}. Run "npm ci" in ${root}: it brings Node 24 along.`,
    )
    process.exit(1)
  }
  process.on('SIGINT', () => {}) // Ctrl-C is for the command line, which asks first
  const { status } = spawnSync(own, [cli, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}
