// eSputnik against a receiver, with Node's own test runner:
//
//     REDELIVER=path/to/redeliver node --test examples/node

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'

import { receiver } from './receiver.mjs'

let process_, server

before(async () => {
  const binary = process.env.REDELIVER ?? 'redeliver'
  const options = ['mock', 'server', '--listen', '127.0.0.1:0', '--json']
  process_ = spawn(binary, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(process_.stdout), 'line')
  server = JSON.parse(line).listening
})

after(async () => {
  process_.kill()
  await once(process_, 'exit')
})

/** A mock of eSputnik and a receiver that are there for one test. */
async function esputnik(t, keep) {
  const http = receiver(keep).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `${server}/mocks/${t.name.replaceAll(' ', '-')}`
  const ask = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) })
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`)
    return answer.status === 204 ? null : answer.json()
  }
  t.after(async () => {
    await ask('DELETE', '')
    http.closeAllConnections()
    http.close()
  })
  const to = `http://127.0.0.1:${http.address().port}/hook`
  const basic_auth = { user: 'hook', password: 'secret' }
  await ask('PUT', '', { vendor: 'esputnik', to, basic_auth })
  return {
    trigger: (wish) => ask('POST', '/v1/trigger', wish),
    advance: (by) => ask('POST', '/v1/clock/advance', { by }),
    wait: (status, count = 1) => ask('GET', `/v1/wait?status=${status}&count=${count}`),
  }
}

test('a sequence arrives in order', async (t) => {
  const got = []
  const mock = await esputnik(t, (activity) => got.push(activity.activityStatus))
  await mock.trigger({ sample: 'sequence' })
  await mock.wait('delivered', 3)
  assert.deepEqual(got, ['DELIVERED', 'READ', 'CLICKED'])
})

test('nothing passes the one that failed', async (t) => {
  const got = []
  let isDown = true
  const mock = await esputnik(t, (activity) => {
    if (isDown) throw new Error('the database is away')
    got.push(activity.activityStatus)
  })
  await mock.trigger({ sample: 'sequence' })
  await mock.wait('waiting')
  await mock.advance('3h') // 1, 2, 4, … 32 and then 60 minutes
  assert.deepEqual(got, [])
  isDown = false
  await mock.advance('1h')
  await mock.wait('delivered', 3)
  assert.deepEqual(got, ['DELIVERED', 'READ', 'CLICKED'])
})
