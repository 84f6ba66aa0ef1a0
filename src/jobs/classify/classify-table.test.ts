import { expect, it } from 'vitest'
import { ClassifyTable } from './classify-table.ts'

const answers = (...lines: readonly string[]) => {
  const table = new ClassifyTable()
  return lines.map((line) => table.read(line))
}

it('[JB26] a table is read by the names of its columns, a line at a time', () => {
  const [head, first, second, empty] = answers(
    'label\tid\tcommand\tname\tcontext',
    '?\tA1\tnpm run x\tgo\tx=vite ; y=tsc\r',
    '?\tA2\tdocker run mine\t\tEXPOSE 80',
    '',
  )
  expect(head).toBeUndefined()
  expect(first).toBe('A1\tservice\t0.90\tnpm run x: "vite" listens or watches until it is stopped')
  expect(second?.split('\t').slice(0, 2)).toEqual(['A2', 'service'])
  expect(empty).toBeUndefined()
})

it('[JB26] a table without commands is refused', () => {
  expect(() => answers('id\tname')).toThrow('no column "command"')
})
