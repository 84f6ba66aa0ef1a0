import { expect, it } from 'vitest'
import { classify, type ClassifyContext } from './classify.ts'
import { MAX_LINE } from './shell-parse.ts'

const labelOf = (line: string, context?: ClassifyContext) => classify(line, context).label

it.each([
  // flags
  ['vite', 'service'],
  ['vite build', 'batch'],
  ['vite build --watch', 'service'],
  ['tsc -b --noEmit', 'batch'],
  ['tsc -bw', 'service'],
  ['tail -n 5 log', 'batch'],
  ['tail -n5 -f log', 'service'],
  ['vitest', 'ambiguous'],
  ['vitest run', 'batch'],
  ['CI=1 vitest', 'batch'],
  ['cross-env CI=true react-scripts test', 'batch'],
  ['turbo run dev --parallel', 'service'],
  ['bun --watch run index.ts', 'service'],
  ['nginx -t', 'batch'],
  ['hugo --help', 'batch'],
  // what stands before a command
  ['sudo -u www nice -n 5 nginx', 'service'],
  ['A=1 env -u B C=2 node build.js', 'batch'],
  ['timeout 5m npx -y http-server', 'batch'],
  ['time cargo test', 'batch'],
  ['find . -name x | xargs -n1 vim', 'batch'],
  ['uv run --with flask python -m http.server 9000', 'service'],
  ['sh -c "cd web && exec vite"', 'service'],
  // relations
  ['make assets && vim notes.md', 'interactive'],
  ['cat x | less', 'interactive'],
  ['psql db < dump.sql', 'batch'],
  ['psql db', 'interactive'],
  ['node server.js & curl -s localhost:3000', 'batch'],
  ['tail -f log | head -3', 'batch'],
  ['while true; do date; sleep 1; done', 'service'],
  ['for f in *.png; do convert "$f" "$f.jpg"; done', 'batch'],
  // places and screens
  ['gimp a.png', 'interactive'],
  ['blender -b scene.blend -a', 'batch'],
  ['xvfb-run electron-mocha test', 'batch'],
  ['ssh host', 'interactive'],
  ['ssh host uptime', 'batch'],
  ['git commit -m x', 'batch'],
  ['git commit', 'interactive'],
  // containers
  ['docker run -it --rm ubuntu', 'interactive'],
  ['docker run --rm -it golang:1.22 go build ./...', 'batch'],
  ['docker run -p 5432:5432 postgres:16', 'service'],
  ['docker run -d -e DISPLAY=$DISPLAY -v /tmp/.X11-unix:/tmp/.X11-unix someone/editor', 'interactive'],
  ['docker exec -it web bash', 'interactive'],
  ['docker exec web nginx -s reload', 'batch'],
  ['podman compose up -d', 'service'],
  ['docker compose exec db psql', 'interactive'],
  ['docker run unheard/of', 'ambiguous'],
  ['docker run --rm --entrypoint htpasswd httpd:2 -Bbn a b', 'batch'],
  ['docker run --rm -it --entrypoint bash unheard/of', 'interactive'],
  ['vmstat 2', 'service'],
  ['vmstat 2 5', 'batch'],
  ['rclone mount a: /mnt', 'service'],
  // honest answers
  ['cargo run', 'ambiguous'],
  ['terraform apply', 'ambiguous'],
  ['terraform apply -auto-approve', 'batch'],
  ['kubectl logs -f pod/x', 'service'],
  ['', 'batch'],
] as const)('[JB22] %s: %s', (line, label) => {
  expect(labelOf(line)).toBe(label)
})

const scripts = {
  dev: 'run-p watch:* serve',
  'watch:css': 'sass --watch a:b',
  serve: 'vite preview',
  build: 'npm run clean && tsc',
  clean: 'rm -rf dist',
  loop: 'npm run loop',
}
const makefile = `BIN = cargo\nall: lib\n\t@$(BIN) build\nlib:\n\tcc -c lib.c\nserve: all\n\tpython3 -m http.server 8123\n.PHONY: all\n`

it.each([
  ['npm run dev', { scripts }, 'service'],
  ['yarn build', { scripts }, 'batch'],
  ['pnpm -r dev', { scripts: { dev: 'echo done' } }, 'service'],
  ['npm run unheard', { scripts }, 'batch'],
  ['npm test -- --watch', { scripts: { test: 'jest' } }, 'service'],
  ['make', { files: { makefile } }, 'batch'],
  ['make -j4 serve', { files: { makefile } }, 'service'],
  ['make -n serve', { files: { makefile } }, 'batch'],
  ['just run', { files: { justfile: 'run port="80":\n  uvicorn app:app --port 9001\n' } }, 'service'],
  [
    'task',
    { files: { taskfile: 'tasks:\n  default:\n    deps: [gen]\n    cmds: [go build]\n  gen: {cmds: [{task: x}]}\n  x: vim a\n' } },
    'interactive',
  ],
  ['deno task dev', { files: { denoTasks: { dev: 'deno run --watch main.ts' } } }, 'service'],
  ['docker run mine', { files: { dockerfile: 'FROM x\nEXPOSE 8080\nCMD ["./run"]' } }, 'service'],
  ['docker run mine', { files: { dockerfile: 'FROM x\nENTRYPOINT ["pandoc"]\nCMD ["a.md"]' } }, 'batch'],
] as const)('[JB23] %s is followed to what really runs', (line, context, label) => {
  expect(labelOf(line, context)).toBe(label)
})

it('[JB23] an alias that leads to itself, and one that doubles at every step, end as not understood', () => {
  expect(labelOf('npm run loop', { scripts })).toBe('batch') // its name is all there is to go by
  const doubling = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`s${n}`, `npm run s${n + 1} && npm run s${n + 1}`]))
  expect(classify('npm run s0', { scripts: doubling })).toMatchObject({ label: 'ambiguous', effects: 'this-machine' })
})

it.each([
  ['tsc && eslint src', 'files-only'],
  ['cargo build --release', 'files-only'],
  ['rm -rf dist', 'files-only'],
  ['rm -rf ~/dist', 'this-machine'],
  ['tar -xf a.tar -C /srv/x', 'this-machine'],
  ['gcc a.c > /etc/x', 'this-machine'],
  ['npm install', 'this-machine'],
  ['docker run --rm alpine true', 'this-machine'],
  ['sudo make', 'this-machine'],
  ['unheard-of a b', 'this-machine'],
  ['curl https://example.org', 'this-machine'],
  ['curl -X POST https://example.org', 'world-once'],
  ['git push', 'world-once'],
  ['make && sh -c "git push origin main"', 'world-once'],
  ['echo $(git push)', 'world-once'],
  ['terraform apply', 'world-once'],
  ["tsc 'unfinished", 'this-machine'],
] as const)('[JB24] %s changes %s', (line, effects) => {
  expect(classify(line).effects).toBe(effects)
})

it('[JB25] endpoints: ports by flag, variable and map; terminal, display and sound at the seat; files of redirections', () => {
  expect(classify('vite --port 4000').endpoints).toContainEqual({ kind: 'port', place: 'seat', number: 4000 })
  expect(classify('PORT=81 node server.js').endpoints).toContainEqual({ kind: 'port', place: 'seat', number: 81 })
  expect(classify('docker run -p 127.0.0.1:90:80 -p 91-92:1-2 nginx').endpoints).toEqual(
    [90, 91, 92].map((number) => ({ kind: 'port', place: 'seat', number })),
  )
  expect(classify('mpv a.mkv').endpoints.map(({ kind }) => kind)).toEqual(['display', 'audio'])
  expect(classify('vim a').endpoints).toEqual([{ kind: 'tty', place: 'seat' }])
  expect(classify('sort < in > out').endpoints).toContainEqual({ kind: 'files-out', place: 'anywhere', path: 'out' })
})

it('[JB22] the reason is one sentence that names what decided it, and holds nothing that moves a cursor', () => {
  expect(classify('npm run dev', { scripts: { dev: 'vite --host' } }).reason).toBe(
    'npm run dev: "vite" listens or watches until it is stopped',
  )
  const { reason } = classify(`\u001b[2Jx\u202e${'y'.repeat(600)}`)
  expect(reason.length).toBe(400)
  expect([...reason].filter((sign) => sign < ' ' || sign === '\u202e')).toEqual([])
})

it('[JB21] a line over the limit is not understood', () => {
  expect(classify('a'.repeat(MAX_LINE + 1))).toMatchObject({ label: 'ambiguous', effects: 'this-machine' })
})
