import S3rver from 's3rver'

/** Arguments: folder, name of the bucket. Says its port on a line of its own. */
const [directory = '', name = ''] = process.argv.slice(2)
const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory, configureBuckets: [{ name }] })
const { port } = await server.run()
process.stdout.write(`${port}\n`)
