import { expect, it } from 'vitest'
import { FILES_DRAG_TYPE, readFilesPayload, shellQuote } from './drag-payload.ts'

const transfer = (text: string) => ({ getData: (type: string) => (type === FILES_DRAG_TYPE ? text : '') })

it('[AP36] files carry their device; anything else that is dropped is not files', () => {
  expect(readFilesPayload(transfer('{"device":"d","paths":["/a"]}'))).toEqual({ device: 'd', paths: ['/a'] })
  for (const rubbish of ['', 'x', '{}', '{"device":"d","paths":[]}', 'null']) expect(readFilesPayload(transfer(rubbish))).toBeUndefined()
})

it.each([
  ['/home/kim/a.txt', '/home/kim/a.txt'],
  ['/home/kim/my file', "'/home/kim/my file'"],
  ["/it's", "'/it'\\''s'"],
  ['$(rm -rf)', "'$(rm -rf)'"],
])('[AP36] %s is one word for a shell', (path, word) => expect(shellQuote(path)).toBe(word))
