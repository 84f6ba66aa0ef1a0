import { describe, expect, it } from 'vitest'
import { isLocalName, parseIgnoreFile } from './local-rules.ts'

const none = () => false

describe('folders of this device only, by name', () => {
  it('[LF1] what programs make again by itself stays here; common words only beside what tells that they mean it', () => {
    expect(['node_modules', '.venv', '__pycache__', 'src', 'build', 'target'].map((name) => isLocalName(name, [], none))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ])
    expect(isLocalName('target', [], (name) => name === 'Cargo.toml')).toBe(true)
    expect(isLocalName('constructor', [], () => true)).toBe(false)
  })

  it('[LF1] the nearest file of rules decides, in it the last line that matches', () => {
    const near = parseIgnoreFile('# mine\n\nbuild/\n/out\n*.tmp\n!node_modules\n!keep.tmp\na/b\n')
    const far = parseIgnoreFile('/out\nnode_modules\ncache?\n')
    const is = (name: string, files = [near, far]) => isLocalName(name, files, none)
    expect([is('build'), is('out'), is('x.tmp'), is('keep.tmp'), is('b'), is('cache1'), is('cache')]).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
    ])
    expect([is('node_modules'), is('node_modules', [far]), is('out', [[], far])]).toEqual([false, true, false])
    expect(() => parseIgnoreFile('[(+*?\\\n'.repeat(3))).not.toThrow()
  })
})
