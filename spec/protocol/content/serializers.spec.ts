import { it } from '@jest/globals'
import { testSerializer } from '../../../lib/conformance/serializer.js'
import { type Serializer, serializerFor } from '../../../lib/protocol/content/serializers.js'

for (const name of ['json', 'yaml', 'msgpack']) {
  testSerializer(it, { serializer: serializerFor(name) as Serializer, bytes: true, longIntegers: true })
}
