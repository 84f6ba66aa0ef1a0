import { buildAll } from './build.ts'
import { run } from './project.ts'
import { stageNative } from './stage-native.ts'

/** `npm run package [-- --dir]`: builds, stages what lies beside the asar, and packages for this platform with electron-builder. */
export async function main(args: readonly string[]): Promise<number> {
  await buildAll()
  await stageNative()
  const { code } = await run('electron-builder', ['--config', 'electron-builder.yml', ...args], { show: true })
  return code
}
