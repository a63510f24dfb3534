// Dynalite on a port of its own, until standard input ends. The first line names its address.

import dynalite from 'dynalite'

const server = dynalite({ createTableMs: 0 }).listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
