-- SPDX-License-Identifier: BSD-2-Clause
-- Wireshark dissector for the remote-port protocol of Farbus (docs/protocol.md).
--
-- Copy it to the plugin folder (Help > About Wireshark > Folders) or start with
-- `wireshark -X lua_script:farbus.lua`. It takes all three forms of frames. Requests and answers are
-- linked to each other, frames that were sent again are marked. Tags are shown and not checked: their
-- keys are not in a capture.

local farbus = Proto("farbus", "Farbus remote-port protocol")

local ETHERTYPE, MAGIC, VERSION = 0x88b5, 0x4246, 1
local HEADER, DESCRIPTOR, TAG = 20, 8, 8
local NAME, NONCE = 16, 16

local HELLO, OFFER, AUTH1, AUTH2, AUTH3, LEASE = 1, 2, 3, 4, 5, 6
local RENEW, RELEASE, REQ, REP, PENDING, CANCEL = 7, 8, 9, 10, 11, 12
local EVT, EVACK, NAK, PING, PONG = 13, 14, 15, 16, 17

local types = {
	[HELLO] = "HELLO", [OFFER] = "OFFER", [AUTH1] = "AUTH1", [AUTH2] = "AUTH2", [AUTH3] = "AUTH3",
	[LEASE] = "LEASE", [RENEW] = "RENEW", [RELEASE] = "RELEASE", [REQ] = "REQ", [REP] = "REP",
	[PENDING] = "PENDING", [CANCEL] = "CANCEL", [EVT] = "EVT", [EVACK] = "EVACK", [NAK] = "NAK",
	[PING] = "PING", [PONG] = "PONG",
}

local opcodes = {
	[1] = "IN", [2] = "OUT", [3] = "INS", [4] = "OUTS", [5] = "POLL", [6] = "DELAY",
	[7] = "MMIO read", [8] = "MMIO write", [9] = "PCI read", [10] = "PCI write",
	[11] = "IRQ mask", [12] = "IRQ unmask", [13] = "IRQ EOI",
	[14] = "DMA arm", [15] = "DMA data", [16] = "DMA stop",
	[17] = "RESET", [18] = "QUIESCE", [19] = "DMA taken", [20] = "DMA given",
}
local IN, OUT, INS, OUTS, POLL, DELAY = 1, 2, 3, 4, 5, 6
local MMIO_READ, MMIO_WRITE, PCI_READ, PCI_WRITE = 7, 8, 9, 10
local IRQ_MASK, IRQ_UNMASK, IRQ_EOI = 11, 12, 13
local DMA_ARM, DMA_DATA, DMA_STOP, DMA_TAKEN, DMA_GIVEN = 14, 15, 16, 19, 20

local statuses = {
	[0] = "done", [1] = "the condition did not come about in time", [2] = "refused",
	[3] = "unknown operation", [4] = "the server could not carry it out",
}
local lease_statuses = { [0] = "granted", [1] = "no such export", [2] = "held by another client" }

-- --- ports ---

local registers = {} -- [port] = name

local function name_ports(device, base, names)
	for i, name in ipairs(names) do
		registers[base + i - 1] = device .. " " .. name
	end
end

local function name_block(device, first, last)
	for port = first, last do
		registers[port] = device
	end
end

local uart = { "data", "interrupt enable", "interrupt cause/FIFO control", "line control",
	"modem control", "line status", "modem status", "scratch" }
local ata = { "data", "error/features", "sector count", "sector number", "cylinder low",
	"cylinder high", "drive/head", "status/command" }
local lpt = { "data", "status", "control" }

for i, base in ipairs({ 0x3f8, 0x2f8, 0x3e8, 0x2e8 }) do
	name_ports("COM" .. i, base, uart)
end
for i, base in ipairs({ 0x1f0, 0x170, 0x1e8, 0x168 }) do
	name_ports("ATA" .. i - 1, base, ata)
	name_ports("ATA" .. i - 1, base + 0x206, { "alternate status/control" })
end
for i, base in ipairs({ 0x378, 0x278, 0x3bc }) do
	name_ports("LPT" .. i, base, lpt)
end
for i, base in ipairs({ 0x220, 0x240, 0x260, 0x280 }) do
	name_ports("SB" .. i, base, { "FM status/address", "FM data", "FM 2 status/address", "FM 2 data",
		"mixer address", "mixer data", "DSP reset", "0x7", "FM status/address", "FM data",
		"DSP data", "0xb", "DSP write/status", "0xd", "DSP read status", "DSP 16-bit acknowledge" })
end
name_ports("FDC", 0x3f0, { "status A", "status B", "digital output", "tape drive",
	"main status/data rate", "data" })
name_ports("FDC", 0x3f7, { "digital input/configuration" })
name_ports("FM", 0x388, { "status/address", "data", "2 status/address", "2 data" })
name_ports("MPU-401", 0x330, { "data", "status/command" })
name_block("8237", 0x00, 0x0f)
name_ports("8259A", 0x20, { "command", "mask" })
name_ports("8254", 0x40, { "channel 0", "channel 1", "channel 2", "mode" })
name_ports("8042", 0x60, { "data", "port B", "0x62", "0x63", "status/command" })
name_ports("CMOS", 0x70, { "address", "data" })
name_block("DMA page", 0x80, 0x8f)
name_ports("port", 0x80, { "POST" })
name_ports("system", 0x92, { "control" })
name_ports("8259A 2", 0xa0, { "command", "mask" })
name_block("8237 2", 0xc0, 0xdf)
name_block("game port", 0x200, 0x207)
name_block("VGA", 0x3b0, 0x3bb)
name_block("VGA", 0x3c0, 0x3df)
name_ports("PCI configuration", 0xcf8, { "address", "address", "address", "address",
	"data", "data", "data", "data" })
for i = 1, 4 do
	local base = 0xfb00 + (i - 1) * 0x20

	name_block("service " .. i, base, base + 0x1f)
	registers[base] = "service " .. i .. " identification"
	registers[base + 0x04] = "service " .. i .. " bytes waiting"
	registers[base + 0x08] = "service " .. i .. " room"
	registers[base + 0x0c] = "service " .. i .. " state"
	registers[base + 0x10] = "service " .. i .. " data"
end

-- --- fields ---

local f = {
	magic = ProtoField.uint16("farbus.magic", "Magic", base.HEX),
	version = ProtoField.uint8("farbus.version", "Version", base.DEC, nil, 0xf0),
	server = ProtoField.bool("farbus.from_server", "From the server", 8, nil, 0x01),
	type = ProtoField.uint8("farbus.type", "Type", base.DEC, types),
	session = ProtoField.uint16("farbus.session", "Session", base.DEC),
	length = ProtoField.uint16("farbus.length", "Length of the operations", base.DEC),
	sequence = ProtoField.uint32("farbus.sequence", "Sequence", base.DEC),
	acknowledge = ProtoField.uint32("farbus.acknowledge", "Acknowledge", base.DEC),
	lines = ProtoField.uint16("farbus.irq_lines", "IRQ lines that wait for their end", base.HEX),
	window = ProtoField.uint16("farbus.window", "Window", base.DEC),
	unused = ProtoField.uint16("farbus.unused", "Not used", base.HEX),
	count = ProtoField.uint8("farbus.operations", "Number of operations", base.DEC),
	try = ProtoField.uint8("farbus.try", "Try", base.DEC),
	tag = ProtoField.bytes("farbus.tag", "Tag (not checked: the key is not in the capture)"),

	form = ProtoField.string("farbus.form", "Form"),
	destination = ProtoField.ether("farbus.destination", "Destination"),
	source = ProtoField.ether("farbus.source", "Source"),
	frame_length = ProtoField.uint16("farbus.frame_length", "802.3 length", base.DEC),

	op = ProtoField.string("farbus.op", "Operation"),
	opcode = ProtoField.uint8("farbus.op.code", "Operation", base.DEC, opcodes),
	width = ProtoField.uint8("farbus.op.width", "Width", base.DEC, nil, 0x0f),
	status = ProtoField.uint8("farbus.op.status", "Status", base.DEC, statuses, 0xf0),
	unequal = ProtoField.bool("farbus.op.unequal", "Until it is not", 8, nil, 0x10),
	note = ProtoField.uint8("farbus.op.note", "Flags", base.HEX, nil, 0xf0),
	elements = ProtoField.uint16("farbus.op.count", "Count", base.DEC),
	address = ProtoField.uint32("farbus.op.address", "Address", base.HEX),
	port = ProtoField.uint32("farbus.op.port", "Port", base.HEX),
	port_name = ProtoField.string("farbus.op.port_name", "Port's name"),
	line = ProtoField.uint32("farbus.op.line", "IRQ line", base.DEC),
	generation = ProtoField.uint16("farbus.op.generation", "Generation", base.DEC),
	channel = ProtoField.uint16("farbus.op.channel", "DMA channel", base.DEC),
	arming = ProtoField.uint16("farbus.op.arming", "Arming", base.DEC),
	value = ProtoField.uint32("farbus.op.value", "Value", base.HEX),
	mask = ProtoField.uint32("farbus.op.mask", "Mask", base.HEX),
	wanted = ProtoField.uint32("farbus.op.wanted", "Wanted", base.HEX),
	taken = ProtoField.uint32("farbus.op.us", "Microseconds taken", base.DEC),
	bytes = ProtoField.uint32("farbus.op.bytes", "Bytes of the block", base.DEC),
	mode = ProtoField.uint32("farbus.op.dma_mode", "8237 mode", base.HEX),
	place = ProtoField.uint32("farbus.op.place", "Place", base.DEC),
	data = ProtoField.bytes("farbus.op.data", "Data"),

	client_nonce = ProtoField.bytes("farbus.client_nonce", "Client's nonce"),
	server_nonce = ProtoField.bytes("farbus.server_nonce", "Server's nonce"),
	client_epoch = ProtoField.uint32("farbus.client_epoch", "Client's epoch", base.HEX),
	server_epoch = ProtoField.uint32("farbus.server_epoch", "Server's epoch", base.HEX),
	name = ProtoField.string("farbus.server_name", "Server's name"),
	exports = ProtoField.uint8("farbus.exports", "Number of exports", base.DEC),
	export = ProtoField.string("farbus.export", "Export"),
	export_lines = ProtoField.uint16("farbus.export.irqs", "IRQ lines", base.HEX),
	export_dma = ProtoField.uint8("farbus.export.dma", "DMA channels", base.HEX),
	export_ranges = ProtoField.uint8("farbus.export.ranges", "Port ranges", base.DEC),
	export_held = ProtoField.bool("farbus.export.held", "Held"),
	export_memories = ProtoField.uint8("farbus.export.memories", "Memory ranges", base.DEC),
	export_functions = ProtoField.uint8("farbus.export.functions", "PCI functions", base.DEC),
	export_ports = ProtoField.string("farbus.export.ports", "Ports"),
	export_memory = ProtoField.string("farbus.export.memory", "Memory"),
	export_function = ProtoField.string("farbus.export.function", "PCI function"),
	lease_status = ProtoField.uint8("farbus.lease.status", "Status", base.DEC, lease_statuses),
	lease_window = ProtoField.uint8("farbus.lease.window", "Server's window", base.DEC),
	lease_session = ProtoField.uint16("farbus.lease.session", "Session", base.DEC),
	lease_life = ProtoField.uint32("farbus.lease.life", "Life of a lease, ms", base.DEC),
	answered_tag = ProtoField.bytes("farbus.nak.tag", "Tag of the frame that it answers"),
	body = ProtoField.bytes("farbus.body", "Bytes"),

	answer_in = ProtoField.framenum("farbus.answer_in", "Answered in", base.NONE, frametype.RESPONSE),
	answer_to = ProtoField.framenum("farbus.answer_to", "Answer to", base.NONE, frametype.REQUEST),
	rtt = ProtoField.relative_time("farbus.time", "Time since that"),
	about = ProtoField.framenum("farbus.about", "About the request in"),
	again = ProtoField.bool("farbus.retransmission", "Retransmission"),
	again_of = ProtoField.framenum("farbus.retransmission_of", "Retransmission of", base.NONE,
		frametype.RETRANS_PREV),
}
local all_fields = {}
for _, field in pairs(f) do
	all_fields[#all_fields + 1] = field
end
farbus.fields = all_fields

local malformed = ProtoExpert.new("farbus.malformed", "Malformed", expert.group.MALFORMED,
	expert.severity.ERROR)
local foreign = ProtoExpert.new("farbus.other_version", "Another version of the protocol",
	expert.group.PROTOCOL, expert.severity.WARN)
local failed = ProtoExpert.new("farbus.failed", "Not carried out", expert.group.RESPONSE_CODE,
	expert.severity.NOTE)
local repeated = ProtoExpert.new("farbus.sent_again", "Sent again", expert.group.SEQUENCE,
	expert.severity.NOTE)
farbus.experts = { malformed, foreign, failed, repeated }

-- --- what belongs together ---

-- Filled while the packets are seen for the first time, in their order.
local asked -- [key] = { frame, tries = { [try] = { frame, time } } }: what awaits an answer
local seen -- [key] = frame: the first one of its kind
local tags -- [tag] = { frame, time }, of clients' frames
local links -- [frame] = { answer_in, answer_to, rtt, about, again_of }

function farbus.init()
	asked, seen, tags, links = {}, {}, {}, {}
end

local function link_of(number)
	links[number] = links[number] or {}
	return links[number]
end

-- A number of the kind "request 7 of session 3 between these two", for both directions.
local function key_of(p, kind, value)
	local client = p.from_server and p.dst or p.src
	local server = p.from_server and p.src or p.dst

	return table.concat({ kind, client, server, p.session, value }, "/")
end

local function ask(p, kind, value)
	local key = key_of(p, kind, value)
	local entry = asked[key]

	if entry then
		link_of(p.number).again_of = entry.frame
	else
		entry = { frame = p.number, tries = {} }
		asked[key] = entry
	end
	entry.tries[p.try] = entry.tries[p.try] or { frame = p.number, time = p.time }
end

-- try: the one that the answer is to; nil: to the first.
local function answer(p, kind, value, try)
	local key = key_of(p, kind, value)
	local entry = asked[key]
	local link = link_of(p.number)
	local to

	if seen["answer " .. key] then
		link.again_of = seen["answer " .. key]
	else
		seen["answer " .. key] = p.number
	end
	if not entry then
		return
	end
	to = try and entry.tries[try] or { frame = entry.frame }
	link.answer_to = to.frame
	link.rtt = to.time and p.time - to.time
	if not link_of(to.frame).answer_in then
		link_of(to.frame).answer_in = p.number
	end
end

local function about(p)
	local entry = asked[key_of(p, "request", p.sequence)]

	link_of(p.number).about = entry and entry.frame
end

-- A session's numbers begin anew with its lease.
local function forget(p, session)
	local old = p.session

	p.session = session
	for _, kind in ipairs({ "request", "event", "renew", "ping", "release" }) do
		local tail = key_of(p, kind, "")

		for _, t in ipairs({ asked, seen }) do
			for key in pairs(t) do
				if key:find(tail, 1, true) then
					t[key] = nil
				end
			end
		end
	end
	p.session = old
end

-- HELLO goes to all: its answers are known by the nonce alone.
local function key_of_hello(p)
	return "hello/" .. p.nonce
end

local function hello(p)
	local key = key_of_hello(p)

	asked[key] = asked[key] or { frame = p.number, time = p.time }
	if asked[key].frame ~= p.number then
		link_of(p.number).again_of = asked[key].frame
	end
end

local function offer(p)
	local entry = asked[key_of_hello(p)]
	local link = link_of(p.number)

	if entry then
		link.answer_to, link.rtt = entry.frame, p.time - entry.time
		link_of(entry.frame).answer_in = link_of(entry.frame).answer_in or p.number
	end
end

local function nak(p)
	local entry = p.answered_tag and tags[p.answered_tag]
	local link = link_of(p.number)

	if entry then
		link.answer_to, link.rtt = entry.frame, p.time - entry.time
		link_of(entry.frame).answer_in = link_of(entry.frame).answer_in or p.number
	end
end

local function pong(p)
	local kind = bit.band(p.sequence, 0x80000000) ~= 0 and "ping" or "renew"

	answer(p, kind, p.sequence, p.try)
end

local function release(p)
	if p.from_server then
		answer(p, "release", p.sequence, p.try)
	else
		ask(p, "release", p.sequence)
	end
end

local function lease(p)
	local session = p.session

	-- Its session is only in the answer.
	p.session = 0
	answer(p, "auth3", p.nonce, p.try)
	p.session = session
	if p.granted and not link_of(p.number).again_of then
		forget(p, session)
	end
end

local follow = {
	[HELLO] = hello,
	[OFFER] = offer,
	[AUTH1] = function(p) ask(p, "auth1", p.nonce) end,
	[AUTH2] = function(p) answer(p, "auth1", p.nonce, p.try) end,
	[AUTH3] = function(p) ask(p, "auth3", p.nonce) end,
	[LEASE] = lease,
	[RENEW] = function(p) ask(p, "renew", p.sequence) end,
	[PING] = function(p) ask(p, "ping", p.sequence) end,
	[PONG] = pong,
	[RELEASE] = release,
	[REQ] = function(p) ask(p, "request", p.sequence) end,
	[REP] = function(p) answer(p, "request", p.sequence, p.try) end,
	[PENDING] = about,
	[CANCEL] = about,
	[EVT] = function(p) ask(p, "event", p.sequence) end,
	[EVACK] = function(p) answer(p, "event", p.sequence, p.try) end,
	[NAK] = nak,
}

-- --- operations ---

local function data_length(opcode, width, count, from_server, event)
	local reply = from_server and not event

	if opcode == INS or opcode == MMIO_READ then
		return reply and width * count or 0
	elseif opcode == OUTS or opcode == MMIO_WRITE then
		return reply and 0 or width * count
	elseif opcode == IN or opcode == PCI_READ then
		return reply and width or 0
	elseif opcode == OUT or opcode == PCI_WRITE then
		return reply and 0 or width
	elseif opcode == POLL then
		return 8
	elseif opcode == DMA_ARM then
		return reply and 0 or 8
	elseif opcode == DMA_DATA then
		return reply and 0 or 4 + count
	elseif opcode == DMA_GIVEN then
		return event and count or 0
	end
	return 0
end

local function is_port(opcode)
	return opcode >= IN and opcode <= POLL
end

local function is_line(opcode)
	return opcode >= IRQ_MASK and opcode <= IRQ_EOI
end

local function is_dma(opcode)
	return (opcode >= DMA_ARM and opcode <= DMA_STOP) or opcode == DMA_TAKEN or opcode == DMA_GIVEN
end

local function port_name(port)
	return registers[port]
end

-- "OUT 0x3f8 (COM1 data) = 0x41", for the list and the tree.
local function describe(opcode, width, count, address, data, p)
	local text = opcodes[opcode] or string.format("operation %d", opcode)

	if is_port(opcode) then
		local name = port_name(address)

		text = string.format("%s%s 0x%x", text, width > 1 and string.format("%d", 8 * width) or "",
			address)
		text = name and text .. " (" .. name .. ")" or text
	elseif opcode == DELAY then
		return string.format("DELAY %d us", count)
	elseif is_line(opcode) then
		text = string.format("%s line %d", text, address)
		if opcode == IRQ_EOI or p.type == EVT then
			text = string.format("%s generation %d", text, count)
		end
		return p.type == EVT and opcode == IRQ_MASK and
			string.format("interrupt line %d generation %d", address, count) or text
	elseif is_dma(opcode) then
		return string.format("%s channel %d, %d bytes", text, address % 65536, count)
	elseif opcode >= MMIO_READ and opcode <= PCI_WRITE then
		text = string.format("%s 0x%x", text, address)
	end
	if opcode == INS or opcode == OUTS or opcode == MMIO_READ or opcode == MMIO_WRITE then
		return string.format("%s x %d", text, count)
	elseif opcode == POLL and data and p.from_server then
		return string.format("%s = 0x%x after %d us", text, data:range(0, 4):le_uint(),
			data:range(4, 4):le_uint())
	elseif opcode == POLL and data then
		return string.format("%s & 0x%x, 0x%x wanted, %d us", text, data:range(0, 4):le_uint(),
			data:range(4, 4):le_uint(), count)
	elseif data then
		return string.format("%s = 0x%0" .. 2 * width .. "x", text, data:le_uint())
	end
	return text
end

local function add_address(tree, opcode, range, p)
	local address = range:le_uint()

	if is_port(opcode) then
		tree:add_le(f.port, range)
		if port_name(address) then
			tree:add(f.port_name, range, port_name(address)):set_generated()
		end
	elseif is_line(opcode) then
		tree:add_le(f.line, range)
	elseif is_dma(opcode) then
		tree:add_le(f.channel, range:range(0, 2))
		tree:add_le(f.arming, range:range(2, 2))
	else
		tree:add_le(f.address, range)
	end
end

local function add_data(tree, opcode, width, data, p)
	if opcode == IN or opcode == OUT or opcode == PCI_READ or opcode == PCI_WRITE then
		tree:add_le(f.value, data:range(0, width))
	elseif opcode == POLL then
		tree:add_le(p.from_server and f.value or f.mask, data:range(0, 4))
		tree:add_le(p.from_server and f.taken or f.wanted, data:range(4, 4))
	elseif opcode == DMA_ARM then
		tree:add_le(f.bytes, data:range(0, 4))
		tree:add_le(f.mode, data:range(4, 4))
	elseif opcode == DMA_DATA then
		tree:add_le(f.place, data:range(0, 4))
		if data:len() > 4 then
			tree:add(f.data, data:range(4))
		end
	else
		tree:add(f.data, data)
	end
end

local function add_note(tree, opcode, range, p)
	if p.from_server and p.type ~= EVT then
		local status = math.floor(range:uint() / 16)
		local item = tree:add(f.status, range)

		if status ~= 0 then
			item:add_proto_expert_info(failed, statuses[status] or "unknown status")
		end
		return status ~= 0 and (statuses[status] or "status " .. status)
	elseif opcode == POLL then
		tree:add(f.unequal, range)
	else
		tree:add(f.note, range)
	end
end

-- One operation at `at` of the operations. Returns where the next one begins, nil: malformed.
local function operation(ops, at, tree, p)
	local left = ops:len() - at
	local opcode, width, count, address, length, padded, data, item, problem, text

	if left < DESCRIPTOR then
		tree:add(f.body, ops:range(at)):add_proto_expert_info(malformed,
			string.format("%d bytes behind the last operation: expected a descriptor of 8", left))
		return nil
	end
	opcode, width = ops:range(at, 1):uint(), ops:range(at + 1, 1):uint() % 16
	count, address = ops:range(at + 2, 2):le_uint(), ops:range(at + 4, 4):le_uint()
	length = data_length(opcode, width, count, p.from_server, p.type == EVT)
	padded = math.floor((length + 3) / 4) * 4
	item = tree:add(f.op, ops:range(at, math.min(left, DESCRIPTOR + padded)),
		opcodes[opcode] or "unknown")
	item:add(f.opcode, ops:range(at, 1))
	item:add(f.width, ops:range(at + 1, 1))
	problem = add_note(item, opcode, ops:range(at + 1, 1), p)
	if opcode == IRQ_EOI or (p.type == EVT and is_line(opcode)) then
		item:add_le(f.generation, ops:range(at + 2, 2))
	else
		item:add_le(f.elements, ops:range(at + 2, 2))
	end
	add_address(item, opcode, ops:range(at + 4, 4), p)
	if padded > left - DESCRIPTOR then
		item:add_proto_expert_info(malformed, string.format(
			"the data should take %d bytes, %d are left", padded, left - DESCRIPTOR))
		return nil
	end
	data = length > 0 and ops:range(at + DESCRIPTOR, length)
	if width ~= 1 and width ~= 2 and width ~= 4 then
		item:add_proto_expert_info(malformed, string.format("width %d: expected 1, 2 or 4", width))
		return nil
	end
	if not opcodes[opcode] and not problem then
		item:add_proto_expert_info(malformed, string.format("operation %d is none", opcode))
	end
	if data then
		add_data(item, opcode, width, data, p)
	end
	text = describe(opcode, width, count, address, data, p)
	text = problem and text .. ": " .. problem or text
	item:set_text(text)
	p.summary[#p.summary + 1] = text
	return at + DESCRIPTOR + padded
end

local function operations(ops, tree, p)
	local at, count = 0, 0

	while at and at < ops:len() do
		at = operation(ops, at, tree, p)
		count = count + 1
	end
	if at and count ~= p.count then
		tree:add_proto_expert_info(malformed,
			string.format("%d operations: the header says %d", count, p.count))
	end
	p.bad = p.bad or not at
end

-- --- bodies of the greeting ---

local function text_of(range)
	return range:stringz()
end

local function bits_of(value)
	local text = {}

	for i = 0, 15 do
		if bit.band(value, bit.lshift(1, i)) ~= 0 then
			text[#text + 1] = tostring(i)
		end
	end
	return #text > 0 and table.concat(text, ",") or "none"
end

-- Returns where the next record begins, nil: malformed.
local function export(body, at, tree, p)
	local left = body:len() - at
	local ranges, memories, functions, length, item, lines, dma

	if left < 24 then
		tree:add_proto_expert_info(malformed,
			string.format("%d bytes for an export's record: expected 24", left))
		return nil
	end
	ranges, memories, functions = body:range(at + 19, 1):uint(), body:range(at + 21, 1):uint(),
		body:range(at + 22, 1):uint()
	length = 24 + 4 * ranges + 8 * memories + 4 * functions
	item = tree:add(f.export, body:range(at, math.min(left, length)),
		text_of(body:range(at, NAME)))
	lines, dma = body:range(at + 16, 2):le_uint(), body:range(at + 18, 1):uint()
	item:add_le(f.export_lines, body:range(at + 16, 2)):append_text(" (" .. bits_of(lines) .. ")")
	item:add(f.export_dma, body:range(at + 18, 1)):append_text(" (" .. bits_of(dma) .. ")")
	item:add(f.export_ranges, body:range(at + 19, 1))
	item:add(f.export_held, body:range(at + 20, 1))
	item:add(f.export_memories, body:range(at + 21, 1))
	item:add(f.export_functions, body:range(at + 22, 1))
	p.summary[#p.summary + 1] = text_of(body:range(at, NAME))
	if length > left then
		item:add_proto_expert_info(malformed, string.format(
			"the record should take %d bytes, %d are left", length, left))
		return nil
	end
	at = at + 24
	for _ = 1, ranges do
		item:add(f.export_ports, body:range(at, 4), string.format("0x%x-0x%x",
			body:range(at, 2):le_uint(), body:range(at + 2, 2):le_uint()))
		at = at + 4
	end
	for _ = 1, memories do
		item:add(f.export_memory, body:range(at, 8), string.format("0x%x-0x%x",
			body:range(at, 4):le_uint(), body:range(at + 4, 4):le_uint()))
		at = at + 8
	end
	for _ = 1, functions do
		local n = body:range(at, 2):le_uint()

		item:add(f.export_function, body:range(at, 4), string.format("%02x:%02x.%d",
			math.floor(n / 256), math.floor(n / 8) % 32, n % 8))
		at = at + 4
	end
	return at
end

local function offer_body(body, tree, p)
	local at, count = 40, body:range(36, 1):uint()

	p.nonce = tostring(body:range(0, NONCE):bytes())
	tree:add(f.client_nonce, body:range(0, NONCE))
	tree:add_le(f.server_epoch, body:range(16, 4))
	tree:add(f.name, body:range(20, NAME), text_of(body:range(20, NAME)))
	tree:add(f.exports, body:range(36, 1))
	p.summary[#p.summary + 1] = text_of(body:range(20, NAME)) .. ":"
	for _ = 1, count do
		at = at and export(body, at, tree, p)
	end
	p.bad = p.bad or not at
end

local function lease_body(body, tree, p)
	p.nonce = tostring(body:range(0, NONCE):bytes())
	p.granted = body:range(16, 1):uint() == 0
	tree:add(f.client_nonce, body:range(0, NONCE))
	tree:add(f.lease_status, body:range(16, 1))
	tree:add(f.lease_window, body:range(17, 1))
	tree:add_le(f.lease_session, body:range(18, 2))
	tree:add_le(f.lease_life, body:range(20, 4))
	p.summary[#p.summary + 1] = lease_statuses[body:range(16, 1):uint()] or "unknown status"
	if p.granted then
		p.bad = not export(body, 24, tree, p) or p.bad
	end
end

-- The least length of a body, and what shows it.
local bodies = {
	[HELLO] = { NONCE, function(body, tree, p)
		p.nonce = tostring(body:range(0, NONCE):bytes())
		tree:add(f.client_nonce, body:range(0, NONCE))
	end },
	[OFFER] = { 40, offer_body },
	[AUTH1] = { NONCE + 4, function(body, tree, p)
		p.nonce = tostring(body:range(0, NONCE):bytes())
		tree:add(f.client_nonce, body:range(0, NONCE))
		tree:add_le(f.client_epoch, body:range(NONCE, 4))
	end },
	[AUTH2] = { 2 * NONCE + 4, function(body, tree, p)
		p.nonce = tostring(body:range(0, NONCE):bytes())
		tree:add(f.client_nonce, body:range(0, NONCE))
		tree:add(f.server_nonce, body:range(NONCE, NONCE))
		tree:add_le(f.server_epoch, body:range(2 * NONCE, 4))
	end },
	[AUTH3] = { NONCE + NAME, function(body, tree, p)
		p.nonce = tostring(body:range(0, NONCE):bytes())
		tree:add(f.client_nonce, body:range(0, NONCE))
		tree:add(f.export, body:range(NONCE, NAME), text_of(body:range(NONCE, NAME)))
		p.summary[#p.summary + 1] = text_of(body:range(NONCE, NAME))
	end },
	[LEASE] = { 24, lease_body },
	[NAK] = { 12, function(body, tree, p)
		p.answered_tag = tostring(body:range(4, TAG):bytes())
		tree:add_le(f.server_epoch, body:range(0, 4))
		tree:add(f.answered_tag, body:range(4, TAG))
	end },
}

local function greeting(body, tree, p)
	local least, show = bodies[p.type][1], bodies[p.type][2]

	if body:len() < least then
		tree:add_proto_expert_info(malformed,
			string.format("a body of %d bytes: expected %d", body:len(), least))
		p.bad = true
		return
	end
	show(body, tree, p)
end

-- --- the frame ---

local function header(tvb, tree, p)
	tree:add_le(f.magic, tvb(0, 2))
	tree:add(f.version, tvb(2, 1))
	tree:add(f.server, tvb(2, 1))
	tree:add(f.type, tvb(3, 1))
	tree:add_le(f.session, tvb(4, 2))
	tree:add_le(f.length, tvb(6, 2))
	tree:add_le(f.sequence, tvb(8, 4))
	tree:add_le(f.acknowledge, tvb(12, 4))
	if p.from_server then
		tree:add_le(f.lines, tvb(16, 2)):append_text(
			" (" .. bits_of(tvb(16, 2):le_uint()) .. ")")
	else
		tree:add_le(p.type == REQ and f.window or f.unused, tvb(16, 2))
	end
	tree:add(f.count, tvb(18, 1))
	tree:add(f.try, tvb(19, 1))
end

local function add_links(tree, p)
	local link = links[p.number]

	if not link then
		return
	end
	if link.answer_in then
		tree:add(f.answer_in, link.answer_in):set_generated()
	end
	if link.answer_to then
		tree:add(f.answer_to, link.answer_to):set_generated()
	end
	if link.rtt then
		local seconds = math.floor(link.rtt)

		tree:add(f.rtt, NSTime.new(seconds, math.floor((link.rtt - seconds) * 1e9 + 0.5)))
			:set_generated()
	end
	if link.about then
		tree:add(f.about, link.about):set_generated()
	end
	if link.again_of then
		local item = tree:add(f.again, true)

		item:set_generated()
		item:add_proto_expert_info(repeated, "sent again, try " .. p.try)
		tree:add(f.again_of, link.again_of):set_generated()
	end
end

local function info_of(p)
	local text = types[p.type] or "type " .. p.type
	local link = links[p.number] or {}

	if p.type >= RENEW or p.type == HELLO or p.type == OFFER then
		text = text .. " " .. p.sequence
	end
	if link.again_of then
		text = text .. " [again, try " .. p.try .. "]"
	elseif p.try > 0 then
		text = text .. " [try " .. p.try .. "]"
	end
	if #p.summary > 0 then
		text = text .. "  " .. table.concat(p.summary, p.type == OFFER and " " or "; ")
	end
	return p.bad and text .. " [malformed]" or text
end

local function body_of(tvb, tree, p)
	local length = tvb(6, 2):le_uint()
	local there = tvb:len() - HEADER - TAG

	if length > there then
		tree:add_proto_expert_info(malformed, string.format(
			"the header says %d bytes of operations, the frame has %d", length, math.max(there, 0)))
		p.bad = true
		return
	end
	if length > 0 and bodies[p.type] then
		greeting(tvb(HEADER, length):tvb(), tree, p)
	elseif length > 0 and (p.type == REQ or p.type == REP or p.type == EVT) then
		operations(tvb(HEADER, length):tvb(), tree, p)
	elseif length > 0 then
		tree:add(f.body, tvb(HEADER, length))
	elseif bodies[p.type] or p.type == REQ or p.type == EVT or p.type == REP then
		tree:add_proto_expert_info(malformed, "expected a body")
		p.bad = true
	end
	tree:add(f.tag, tvb(HEADER + length, TAG))
	p.tag = tostring(tvb(HEADER + length, TAG):bytes())
end

-- tvb begins with our header.
local function dissect(tvb, pinfo, root, form, src, dst)
	local tree = root:add(farbus, tvb())
	local p = { number = pinfo.number, time = pinfo.abs_ts, src = src, dst = dst, summary = {} }

	pinfo.cols.protocol = "Farbus"
	tree:add(f.form, form):set_generated()
	if tvb:len() < HEADER + TAG then
		tree:add_proto_expert_info(malformed,
			string.format("%d bytes: expected %d at least", tvb:len(), HEADER + TAG))
		pinfo.cols.info = "too short"
		return
	end
	p.from_server = tvb(2, 1):uint() % 2 == 1
	p.type, p.session = tvb(3, 1):uint(), tvb(4, 2):le_uint()
	p.sequence, p.count, p.try = tvb(8, 4):le_uint(), tvb(18, 1):uint(), tvb(19, 1):uint()
	header(tvb, tree, p)
	if math.floor(tvb(2, 1):uint() / 16) ~= VERSION then
		tree:add_proto_expert_info(foreign,
			string.format("version %d: this shows version %d", math.floor(tvb(2, 1):uint() / 16),
				VERSION))
		pinfo.cols.info = string.format("version %d", math.floor(tvb(2, 1):uint() / 16))
		return
	end
	body_of(tvb, tree, p)
	if not types[p.type] then
		tree:add_proto_expert_info(malformed, string.format("type %d is none", p.type))
		p.bad = true
	end
	if not pinfo.visited and not p.bad then
		follow[p.type](p)
		if not p.from_server then
			tags[p.tag] = { frame = p.number, time = p.time }
		end
	end
	add_links(tree, p)
	pinfo.cols.info = info_of(p)
end

local llc = Field.new("llc.dsap")

local function is_ours(tvb, at)
	return tvb:len() >= at + 2 and tvb(at, 2):le_uint() == MAGIC
end

-- By the ethertype: Ethernet II and SNAP. Padding of the first stays behind the tag.
function farbus.dissector(tvb, pinfo, root)
	if not is_ours(tvb, 0) then
		return 0
	end
	dissect(tvb, pinfo, root, llc() and "802.3 with SNAP" or "Ethernet II",
		tostring(pinfo.dl_src), tostring(pinfo.dl_dst))
	return tvb:len()
end

-- Raw 802.3: a length, and at once our magic. The whole frame comes here, so it is shown here.
local function raw_frame(tvb, pinfo, root)
	local length, tree

	if tvb:len() < 16 or not is_ours(tvb, 14) then
		return false
	end
	length = tvb(12, 2):uint()
	if length > 1500 or length > tvb:len() - 14 then
		return false
	end
	tree = root:add(farbus, tvb(0, 14), "IEEE 802.3 without LLC")
	tree:add(f.destination, tvb(0, 6))
	tree:add(f.source, tvb(6, 6))
	tree:add(f.frame_length, tvb(12, 2))
	pinfo.cols.dst = tostring(tvb(0, 6):ether())
	pinfo.cols.src = tostring(tvb(6, 6):ether())
	dissect(tvb(14, length):tvb(), pinfo, root, "802.3 raw", tostring(tvb(6, 6):ether()),
		tostring(tvb(0, 6):ether()))
	return true
end

DissectorTable.get("ethertype"):add(ETHERTYPE, farbus)
farbus:register_heuristic("eth", raw_frame)

-- --- the port trace: records of `farbus trace -w` (docs/trace.md), link type USER0 ---

local trace = Proto("farbus_trace", "Farbus port trace")
local TRACE_IN, TRACE_OUT, TRACE_INS, TRACE_OUTS, TRACE_IRQ, TRACE_RESET = 0, 1, 2, 3, 4, 5
local TRACE_LOST, TRACE_RECORD, TRACE_VERSION = 10, 32, 1

local trace_kinds = {
	[TRACE_IN] = "in", [TRACE_OUT] = "out", [TRACE_INS] = "ins", [TRACE_OUTS] = "outs",
	[TRACE_IRQ] = "interrupt", [TRACE_RESET] = "reset", [TRACE_LOST] = "records lost",
}
local trace_routes = { [0] = "absent", [1] = "virtual", [2] = "local", [3] = "remote" }

local t = {
	version = ProtoField.uint8("farbus_trace.version", "Version", base.DEC),
	kind = ProtoField.uint8("farbus_trace.kind", "Kind", base.DEC, trace_kinds),
	width = ProtoField.uint8("farbus_trace.width", "Width", base.DEC),
	route = ProtoField.uint8("farbus_trace.route", "Route", base.DEC, trace_routes),
	port = ProtoField.uint16("farbus_trace.port", "Port", base.HEX),
	register = ProtoField.string("farbus_trace.register", "Register"),
	vector = ProtoField.uint16("farbus_trace.vector", "Vector", base.HEX),
	cs = ProtoField.uint16("farbus_trace.cs", "CS", base.HEX),
	eip = ProtoField.uint32("farbus_trace.eip", "EIP", base.HEX),
	value = ProtoField.uint32("farbus_trace.value", "Value", base.HEX),
	elements = ProtoField.uint32("farbus_trace.elements", "Elements", base.DEC),
	lost = ProtoField.uint32("farbus_trace.lost", "Records lost", base.DEC),
	device = ProtoField.string("farbus_trace.device", "Device"),
	data = ProtoField.bytes("farbus_trace.data", "Data"),
}
trace.fields = t

local trace_bad = ProtoExpert.new("farbus_trace.malformed", "Malformed record",
	expert.group.MALFORMED, expert.severity.ERROR)
local trace_gap = ProtoExpert.new("farbus_trace.gap", "Records are missing here",
	expert.group.SEQUENCE, expert.severity.WARN)
trace.experts = { trace_bad, trace_gap }

local function trace_access(tvb, tree, kind)
	local port, width, value = tvb(4, 2):le_uint(), tvb(2, 1):uint(), tvb(12, 4):le_uint()
	local name = registers[port] and " (" .. registers[port] .. ")" or ""
	local info = string.format("%-4s %04x%s", trace_kinds[kind], port, name)

	tree:add(t.width, tvb(2, 1))
	tree:add(t.route, tvb(3, 1))
	tree:add_le(t.port, tvb(4, 2)):append_text(name)
	if registers[port] then
		tree:add(t.register, tvb(4, 2), registers[port]):set_generated()
	end
	tree:add(t.device, tvb(16, 16), tvb(16, 16):stringz())
	if kind == TRACE_IN or kind == TRACE_OUT then
		tree:add_le(t.value, tvb(12, 4))
		return info .. string.format(" %0" .. width * 2 .. "x", value)
	end
	tree:add_le(t.elements, tvb(12, 4))
	if tvb:len() > TRACE_RECORD then
		tree:add(t.data, tvb(TRACE_RECORD))
	end
	return info .. string.format(" %d * %d", value, width)
end

function trace.dissector(tvb, pinfo, root)
	local tree = root:add(trace, tvb())
	local kind = tvb:len() >= TRACE_RECORD and tvb(1, 1):uint()
	local info

	pinfo.cols.protocol = "TRACE"
	if not kind or tvb(0, 1):uint() ~= TRACE_VERSION or not trace_kinds[kind] or
		tvb(2, 1):uint() > 4 then
		tree:add_proto_expert_info(trace_bad)
		pinfo.cols.info = "malformed record"
		return tvb:len()
	end
	tree:add(t.version, tvb(0, 1))
	tree:add(t.kind, tvb(1, 1))
	if kind == TRACE_LOST then
		tree:add_le(t.lost, tvb(12, 4))
		tree:add_proto_expert_info(trace_gap)
		pinfo.cols.info = string.format("%d records lost", tvb(12, 4):le_uint())
		return tvb:len()
	end
	if kind <= TRACE_OUTS then
		info = trace_access(tvb, tree, kind)
	elseif kind == TRACE_IRQ then
		tree:add_le(t.vector, tvb(4, 2))
		info = string.format("interrupt, vector %02x", tvb(4, 2):le_uint())
	else
		info = "reset"
	end
	tree:add_le(t.cs, tvb(6, 2))
	tree:add_le(t.eip, tvb(8, 4))
	pinfo.cols.src = string.format("%04x:%08x", tvb(6, 2):le_uint(), tvb(8, 4):le_uint())
	pinfo.cols.dst = tvb(16, 16):stringz()
	pinfo.cols.info = info
	return tvb:len()
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, trace)
