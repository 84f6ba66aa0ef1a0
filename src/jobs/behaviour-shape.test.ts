import { expect, it } from 'vitest'
import { shapeOf } from './behaviour-shape.ts'

const shape = (line: string, follows?: readonly string[]) => shapeOf(line, follows)?.shape

it.each([
  ['numbers', 'make -j8 all', 'make -j16 all', 'make -j# all'],
  ['paths, by what kind of file they are', 'ffmpeg -i /a/one.mp4 out/x.webm', 'ffmpeg -i two.mp4 y.webm', 'ffmpeg -i PATH.mp4 PATH.webm'],
  ['where the program lies', '/usr/bin/cc a.c', 'cc b.c', 'cc PATH.c'],
  ['commits', 'git show 4894e57', 'git show de49702a41', 'git show HASH'],
  ['addresses', 'curl -O https://a.example/x?y=1', 'curl -O http://b.example/', 'curl -O URL'],
  ['what a variable is set to', 'LEVEL=3 run', 'LEVEL=high run', 'LEVEL=… run'],
  ['values of options', 'x --port=3000 --out=a/b.txt', 'x --port=80 --out=/c.txt', 'x --port=# --out=PATH.txt'],
  ['where output goes', 'cc a.c > log.txt', 'cc b.c > /tmp/other.txt', 'cc PATH.c >PATH.txt'],
  ['lists and pipes', 'sort a.csv | head -5 && echo 1', 'sort b.csv | head -20 && echo 2', 'sort PATH.csv | head -# && echo #'],
])('[JB101] lines that differ only in %s are one command', (_what, one, other, expected) => {
  expect([shape(one), shape(other)]).toEqual([expected, expected])
})

it('[JB101] what another command does is another one', () => {
  const lines = ['cargo build', 'cargo test', 'cargo build --release', 'npm run build', 'npm run dev', 'cc a.c', 'cc a.cpp', 'make']
  expect(new Set(lines.map((line) => shape(line))).size).toBe(lines.length)
  expect(shape('npm run build', ['vite'])).toBe('npm run build (vite)')
  expect(shape('npm run build', ['vite'])).not.toBe(shape('npm run build', ['tsc']))
})

it.each([
  ['login --password hunter2', 'hunter2'],
  ['login --token=abc', 'abc'],
  ['curl -H x --auth-header Bearer', 'Bearer'],
  ['API_KEY=swordfish deploy', 'swordfish'],
  ['use sk_live_51H8abcdefghijklmnopqrstuvwxyz', 'abcdefghijkl'],
  ['push ghp_16C7e42F292c6912E7710c838347Ae178B4a', '16C7e42F'],
  ['export TOKEN=abc', 'abc'],
  ['env API_KEY=swordfish x', 'swordfish'],
  ['docker run -e PASSWORD=hunter x', 'hunter'],
  ['docker run -ePW=hunter x', 'hunter'],
  ['make KEY=abc', 'abc'],
  ['curl -u ada:hunter', 'hunter'],
  ['curl -su ada:hunter', 'hunter'],
  ['curl -uada:hunter x', 'hunter'],
  ["curl -H 'Authorization: Bearer abc'", 'abc'],
  ["wget --x 'X-Api-Key: abc'", 'abc'],
  ['mysql -phunter', 'hunter'],
  ['mysql -p hunter', 'hunter'],
  ["sh -c 'export TOKEN=abc; mysql -phunter'", 'hunter'],
  ["sh -c 'export TOKEN=abc; mysql'", 'abc'],
  ['curl --user ada:hunter', 'hunter'],
  ["make PW='abc hunter'", 'hunter'],
  ["sh -c 'cd x;PW=hunter y'", 'hunter'],
  ['psql ada:hunter@there', 'hunter'],
])('[JB101] a secret in "%s" is not in it', (line, secret) => {
  expect(shape(line)).toBeDefined()
  expect(shape(line)).not.toContain(secret)
})

it('[JB101] nothing is made of what is no whole line', () => {
  for (const line of ['', '   ', 'echo "open', `echo ${'x'.repeat(500)}`, `echo ${'y '.repeat(3_000)}`]) expect(shape(line)).toBeUndefined()
})

it('[JB101] nothing that a terminal would obey is in it', () => {
  expect(shape("printf 'a\u001b[2Jb\u202ec'")).toBe('printf a\ufffd[#Jb\ufffdc')
  expect(shape('x\u001b[2J')).toBeUndefined()
})

it('[JB101] no line makes it slow or throw', () => {
  for (const piece of ['-', 'a1', '=', '/', '$(', '"', "'", '…', '0-', 'ab-', '_=', 'pass', ' ', ':@', '-p '])
    expect(() => shape(piece.repeat(4_000 / piece.length))).not.toThrow()
})
