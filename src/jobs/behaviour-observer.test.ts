import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { BehaviourObserver } from './behaviour-observer.ts'

const look = { cpuMs: 0, memoryBytes: 0, ports: [] as number[] }

it('[JB100] drawing on the whole screen is seen, also over the border of two pieces, and only at the beginning', () => {
  for (const cut of [0, 1, 2, 3, 7, 8]) {
    const observer = new BehaviourObserver()
    const bytes = utf8('\u001b[?1049h\u001b[2J')
    const told = [observer.output(utf8('\u001b[1mhello ')), observer.output(bytes.subarray(0, cut)), observer.output(bytes.subarray(cut))]
    expect({ cut, told: told.filter(Boolean).length, screen: observer.seen.screen }).toEqual({ cut, told: 1, screen: true })
    expect(observer.output(bytes)).toBe(false)
  }
  const late = new BehaviourObserver()
  late.output(new Uint8Array(70_000))
  expect(late.output(utf8('\u001b[?1049h'))).toBe(false)
  const plain = new BehaviourObserver()
  expect(plain.output(utf8('\u001b[?25l\u001b[31m10 %\u001b[0m'))).toBe(false)
})

it('[JB100] who stands still for its input is told from who waits a moment for who writes into it', () => {
  const observer = new BehaviourObserver()
  observer.look({ ...look, waits: 'input' })
  observer.look({ ...look, waits: 'input' })
  observer.look(look)
  observer.look({ ...look, waits: 'input' })
  expect(observer.seen.input).toBe(false)
  observer.look({ ...look, waits: 'input' })
  observer.look({ ...look, waits: 'input' })
  expect(observer.seen).toEqual({ ports: [], terminal: false, input: true, screen: false })
  observer.look({ ...look, ports: [80], waits: 'terminal' })
  observer.look({ ...look, ports: [] })
  expect(observer.seen).toMatchObject({ ports: [80], terminal: true })
})
