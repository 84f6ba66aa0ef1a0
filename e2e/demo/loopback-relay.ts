import { connect, createServer } from 'node:net'

/*
 * The inner half of a way into a machine of a lab: `loopback-relay.ts SOCKET PORT` passes what arrives at the Unix socket
 * on to the machine's own 127.0.0.1:PORT. The other half listens on this machine's loopback (demo-machines.ts).
 */
const [, , socket = '', port = ''] = process.argv
createServer((incoming) => {
  const outgoing = connect(Number(port), '127.0.0.1')
  incoming.pipe(outgoing).pipe(incoming)
  incoming.on('error', () => outgoing.destroy())
  outgoing.on('error', () => incoming.destroy())
}).listen(socket, () => console.log('ready'))
