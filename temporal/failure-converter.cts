/** Messages and stack traces of failures pass the payload codec too. CommonJS, because the SDK loads converters with `require`. */
import common = require('@temporalio/common');

export = { failureConverter: new common.DefaultFailureConverter({ encodeCommonAttributes: true }) };
