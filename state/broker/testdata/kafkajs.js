// kafkajs against the broker at argv[2]: admin, codecs, a group that two members share, transactions.
// Ends with exit code 1 when the broker answers otherwise than Kafka does; prints one line for each part that holds.
const assert = require('assert')
const {Kafka, CompressionTypes, logLevel} = require('kafkajs')

const kafka = new Kafka({clientId: 'kafkajs', brokers: [process.argv[2]], logLevel: logLevel.NOTHING, retry: {retries: 5, initialRetryTime: 50}})
const admin = kafka.admin()
const sleep = ms => new Promise(r => setTimeout(r, ms))

async function until(what, check) {
  for (const end = Date.now() + 30000; Date.now() < end; await sleep(50)) if (await check()) return
  assert.fail(what)
}

async function topics() {
  assert(await admin.createTopics({topics: [{topic: 'made', numPartitions: 2, configEntries: [{name: 'retention.ms', value: '1234567'}]}]}))
  assert(!(await admin.createTopics({topics: [{topic: 'made'}]})), 'made twice')
  await admin.createPartitions({topicPartitions: [{topic: 'made', count: 3}]})
  const meta = await admin.fetchTopicMetadata({topics: ['made']})
  assert.strictEqual(meta.topics[0].partitions.length, 3)
  const asked = {resources: [{type: 2, name: 'made', configNames: ['retention.ms']}], includeSynonyms: false}
  assert.strictEqual((await admin.describeConfigs(asked)).resources[0].configEntries[0].configValue, '1234567')
  await admin.alterConfigs({resources: [{type: 2, name: 'made', configEntries: [{name: 'retention.ms', value: '7654321'}]}]})
  assert.strictEqual((await admin.describeConfigs(asked)).resources[0].configEntries[0].configValue, '7654321')
  await admin.deleteTopics({topics: ['made']})
  assert(!(await admin.listTopics()).includes('made'))
  assert.strictEqual((await admin.describeCluster()).brokers.length, 1)
}

async function produce() {
  const p = kafka.producer({idempotent: true})
  await p.connect()
  for (const [i, compression] of [CompressionTypes.None, CompressionTypes.GZIP].entries()) {
    const messages = Array.from({length: 100}, (_, j) => ({key: `k${j}`, value: j == 99 ? null : `${i}.${j}`, headers: {n: `${j}`}, partition: 0}))
    const [ack] = await p.send({topic: 't', messages, compression, acks: -1})
    assert.strictEqual(ack.baseOffset, `${i * 100}`)
  }
  await p.disconnect()
  assert.strictEqual((await admin.fetchTopicOffsets('t'))[0].high, '200')
}

async function groups() {
  await admin.createTopics({topics: [{topic: 'shared', numPartitions: 4}]})
  const p = kafka.producer()
  await p.connect()
  const total = 400
  await p.send({topic: 'shared', messages: Array.from({length: total}, (_, i) => ({value: `${i}`, partition: i % 4}))})
  await p.disconnect()
  const seen = new Set(), owned = {}
  async function member(name) {
    const c = kafka.consumer({groupId: 'workers', sessionTimeout: 6000, heartbeatInterval: 200, rebalanceTimeout: 5000})
    c.on(c.events.GROUP_JOIN, e => { owned[name] = (e.payload.memberAssignment.shared || []).length })
    await c.connect()
    await c.subscribe({topic: 'shared', fromBeginning: true})
    await c.run({eachMessage: async ({message}) => { seen.add(message.value.toString()) }})
    return c
  }
  const a = await member('a')
  await until('a alone', () => owned.a === 4)
  const b = await member('b')
  await until('a and b', () => owned.a === 2 && owned.b === 2)
  await until('all read', () => seen.size === total)
  const described = (await admin.describeGroups(['workers'])).groups[0]
  assert.strictEqual(described.state, 'Stable')
  assert.strictEqual(described.members.length, 2)
  await a.disconnect()
  await until('b alone', () => owned.b === 4)
  await b.disconnect()
  const stored = (await admin.fetchOffsets({groupId: 'workers', topics: ['shared']}))[0].partitions
  assert.deepStrictEqual(stored.map(p => p.offset), ['100', '100', '100', '100'])
  await admin.resetOffsets({groupId: 'workers', topic: 'shared', earliest: true})
  await admin.deleteGroups(['workers'])
}

async function transactions() {
  const p = kafka.producer({transactionalId: 'node', maxInFlightRequests: 1, idempotent: true})
  await p.connect()
  for (let n = 0; n < 6; n++) {
    const txn = await p.transaction()
    await txn.send({topic: 'out', messages: [{value: `${n}`}]})
    await txn.sendOffsets({consumerGroupId: 'eos', topics: [{topic: 't', partitions: [{partition: 0, offset: `${n}`}]}]})
    await (n % 2 ? txn.abort() : txn.commit())
  }
  await p.disconnect()
  const c = kafka.consumer({groupId: 'reader', readUncommitted: false})
  const got = []
  await c.connect()
  await c.subscribe({topic: 'out', fromBeginning: true})
  await c.run({eachMessage: async ({message}) => { got.push(message.value.toString()) }})
  await until('the committed ones', () => got.length >= 3)
  await sleep(300)
  await c.disconnect()
  assert.deepStrictEqual(got, ['0', '2', '4'])
  assert.strictEqual((await admin.fetchOffsets({groupId: 'eos', topics: ['t']}))[0].partitions[0].offset, '4')
}

async function main() {
  await admin.connect()
  await admin.createTopics({topics: [{topic: 'out', numPartitions: 1}]})
  for (const part of [topics, produce, groups, transactions]) {
    await part()
    console.log(part.name, 'ok')
  }
  await admin.disconnect()
}
main().catch(e => { console.error(e); process.exit(1) })
