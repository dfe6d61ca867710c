"""S3 and Message Flow, as boto3 and the AWS CLI use them."""
import hashlib, json, os, subprocess, sys

from served import *


def aws_environment(serve):
    return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{serve.aws}", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}


BOTO3 = """
import base64, boto3, hashlib, io, sys, zlib
from botocore.exceptions import ClientError
name, big = sys.argv[1], bytes(range(256)) * 40_000
flow, s3 = boto3.client("workmailmessageflow"), boto3.client("s3")
raw = flow.get_raw_message_content(messageId=name)["messageContent"].read()
for body in (b"X-Checked: no\\r\\n" + raw, b"X-Checked: yes\\r\\n" + raw):
    put = s3.put_object(Bucket="my-bucket", Key="a/b", Body=body)
assert s3.get_object(Bucket="my-bucket", Key="a/b")["Body"].read() == b"X-Checked: yes\\r\\n" + raw
first = s3.put_object(Bucket="my-bucket", Key="v", Body=io.BytesIO(b"one"), ChecksumAlgorithm="SHA256", ContentType="text/plain")
s3.put_object(Bucket="my-bucket", Key="v", Body=b"two")
assert s3.get_object(Bucket="my-bucket", Key="v")["Body"].read() == b"two"
assert s3.get_object(Bucket="my-bucket", Key="v", VersionId=first["VersionId"])["Body"].read() == b"one"
assert s3.head_object(Bucket="my-bucket", Key="v")["ContentLength"] == 3
assert s3.get_object(Bucket="my-bucket", Key="v", Range="bytes=1-")["Body"].read() == b"wo"
s3.upload_fileobj(io.BytesIO(big), "my-bucket", "big")
assert s3.get_object(Bucket="my-bucket", Key="big")["Body"].read() == big
assert [o["Key"] for o in s3.list_objects_v2(Bucket="my-bucket")["Contents"]] == ["a/b", "big", "v"]
s3.delete_object(Bucket="my-bucket", Key="big")
# Copies, of a version, with other metadata, in parts; and conditions.
s3.put_object(Bucket="my-bucket", Key="m", Body=b"0123456789", ContentType="text/plain", Metadata={"who": "ann"}, CacheControl="no-store")
s3.copy_object(Bucket="other-bucket", Key="copy of v", CopySource={"Bucket": "my-bucket", "Key": "v", "VersionId": first["VersionId"]})
assert s3.get_object(Bucket="other-bucket", Key="copy of v")["Body"].read() == b"one"
s3.copy_object(Bucket="other-bucket", Key="m \u00e4?&", CopySource="my-bucket/m")
head = s3.head_object(Bucket="other-bucket", Key="m \u00e4?&")
assert (head["Metadata"], head["ContentType"], head["CacheControl"]) == ({"who": "ann"}, "text/plain", "no-store"), head
s3.copy_object(Bucket="other-bucket", Key="m", CopySource="my-bucket/m", MetadataDirective="REPLACE", Metadata={"who": "kim"})
assert s3.head_object(Bucket="other-bucket", Key="m")["Metadata"] == {"who": "kim"}
s3.upload_fileobj(io.BytesIO(big), "my-bucket", "big")
s3.copy({"Bucket": "my-bucket", "Key": "big"}, "other-bucket", "big")
assert s3.get_object(Bucket="other-bucket", Key="big")["Body"].read() == big
tag = s3.head_object(Bucket="my-bucket", Key="m")["ETag"]
def refused(call, code, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] in code, error
    else:
        raise SystemExit(f"{call} took {arguments}")
at = {"Bucket": "my-bucket", "Key": "m"}
assert s3.get_object(**at, IfMatch=tag)["Body"].read() == b"0123456789"
refused(s3.get_object, ("PreconditionFailed", "412"), **at, IfMatch='"x"')
refused(s3.get_object, ("304",), **at, IfNoneMatch=tag)
refused(s3.head_object, ("304",), **at, IfNoneMatch=tag)
refused(s3.head_object, ("304",), **at, IfModifiedSince=s3.head_object(**at)["LastModified"])
refused(s3.head_object, ("404",), Bucket="my-bucket", Key="none")
refused(s3.put_object, ("PreconditionFailed",), **at, Body=b"x", IfNoneMatch="*")
refused(s3.copy_object, ("PreconditionFailed",), **at, CopySource="my-bucket/v", CopySourceIfMatch='"x"')
refused(s3.copy_object, ("InvalidRequest",), **at, CopySource="my-bucket/m")
refused(s3.copy_object, ("NoSuchKey",), **at, CopySource="my-bucket/none")
refused(s3.get_object, ("InvalidRange",), **at, Range="bytes=10-")
part = s3.get_object(**at, Range="bytes=-3")
assert (part["Body"].read(), part["ContentRange"], part["ResponseMetadata"]["HTTPStatusCode"]) == (b"789", "bytes 7-9/10", 206), part
assert s3.head_object(**at, Range="bytes=2-3")["ContentLength"] == 2
# Versions: what is deleted comes back, several go at once, a bucket is emptied.
gone = s3.delete_object(**at)
assert gone["DeleteMarker"], gone
refused(s3.get_object, ("NoSuchKey",), **at)
s3.delete_object(**at, VersionId=gone["VersionId"])
assert s3.get_object(**at)["Body"].read() == b"0123456789"
for n in range(7):
    s3.put_object(Bucket="many-bucket", Key=f"k{n % 3}/<&> \u00e4", Body=b"%d" % n)
    s3.put_object(Bucket="many-bucket", Key=f"x{n}", Body=b"")
s3.delete_object(Bucket="many-bucket", Key="x0")
pages = list(s3.get_paginator("list_object_versions").paginate(Bucket="many-bucket", PaginationConfig={"PageSize": 4}))
versions = [(v["Key"], v["VersionId"], v["IsLatest"]) for page in pages for v in page.get("Versions", [])]
markers = [m["Key"] for page in pages for m in page.get("DeleteMarkers", [])]
assert (len(versions), len(set(versions)), markers, len(pages)) == (14, 14, ["x0"], 4), (versions, markers)
assert sorted(key for key, _, latest in versions if latest and key[0] == "k") == [f"k{n}/<&> \u00e4" for n in range(3)]
folders = s3.list_object_versions(Bucket="many-bucket", Delimiter="/")
assert [p["Prefix"] for p in folders["CommonPrefixes"]] == ["k0/", "k1/", "k2/"] and len(folders["Versions"]) == 7, folders
gone = s3.delete_objects(Bucket="many-bucket", Delete={"Objects": [{"Key": "k0/<&> \u00e4"}, {"Key": "x1"}, {"Key": "never there"}]})
assert [d["Key"] for d in gone["Deleted"]] == ["k0/<&> \u00e4", "x1", "never there"] and "Errors" not in gone, gone
left = [o["Key"] for o in s3.list_objects_v2(Bucket="many-bucket")["Contents"]]
assert left == ["k1/<&> \u00e4", "k2/<&> \u00e4", "x2", "x3", "x4", "x5", "x6"], left
refused(s3.delete_bucket, ("BucketNotEmpty",), Bucket="many-bucket")
bucket = boto3.resource("s3").Bucket("many-bucket")
bucket.object_versions.delete()
assert not list(bucket.object_versions.all())
bucket.delete()
# Entity tags are MD5, and of parts MD5 over those of the parts; what comes along is checked.
def md5(*pieces):
    digests = b"".join(hashlib.md5(piece).digest() for piece in pieces)
    return '"%s"' % (hashlib.md5(pieces[0]).hexdigest() if len(pieces) == 1 else f"{hashlib.md5(digests).hexdigest()}-{len(pieces)}")
put = s3.put_object(Bucket="tag-bucket", Key="k", Body=b"Grown", ContentMD5=base64.b64encode(hashlib.md5(b"Grown").digest()).decode())
assert put["ETag"] == md5(b"Grown") == s3.head_object(Bucket="tag-bucket", Key="k")["ETag"], put
assert s3.list_objects_v2(Bucket="tag-bucket")["Contents"][0]["ETag"] == put["ETag"]
refused(s3.put_object, ("BadDigest",), Bucket="tag-bucket", Key="k", Body=b"Grown", ContentMD5=base64.b64encode(hashlib.md5(b"x").digest()).decode())
refused(s3.put_object, ("InvalidDigest",), Bucket="tag-bucket", Key="k", Body=b"Grown", ContentMD5="?")
crc = base64.b64encode(zlib.crc32(b"Grown").to_bytes(4, "big")).decode()
put = s3.put_object(Bucket="tag-bucket", Key="k", Body=b"Grown", ChecksumAlgorithm="CRC32")
got = s3.get_object(Bucket="tag-bucket", Key="k", ChecksumMode="ENABLED")
assert (put["ChecksumCRC32"], got["ChecksumCRC32"], got["Body"].read()) == (crc, crc, b"Grown"), (put, got)
told = s3.get_object_attributes(Bucket="tag-bucket", Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])
assert (told["ETag"], told["ObjectSize"], told["Checksum"]["ChecksumCRC32"]) == (md5(b"Grown").strip('"'), 5, crc), told
s3.copy_object(Bucket="tag-bucket", Key="copied big", CopySource="my-bucket/big")
assert s3.head_object(Bucket="my-bucket", Key="big")["ETag"] == md5(big[:8 << 20], big[8 << 20:])
assert s3.head_object(Bucket="tag-bucket", Key="copied big")["ETag"] == md5(big), "a copy is of one piece"
# Uploads in parts: listed, in pages, and made of the parts that are named.
at = {"Bucket": "part-bucket", "Key": "in parts <&> \u00e4"}
upload = s3.create_multipart_upload(**at, Tagging="kind=mail&of=ann%20b")
at["UploadId"] = upload["UploadId"]
pieces = {1: b"a" * (5 << 20), 2: b"not used", 7: b"b" * (5 << 20), 9: b"the end"}
tags = {number: s3.upload_part(**at, PartNumber=number, Body=piece)["ETag"] for number, piece in pieces.items()}
assert tags == {number: md5(piece) for number, piece in pieces.items()}, tags
pages = list(s3.get_paginator("list_parts").paginate(**at, PaginationConfig={"PageSize": 3}))
listed = [(part["PartNumber"], part["ETag"], part["Size"]) for page in pages for part in page["Parts"]]
assert (listed, len(pages)) == ([(number, tags[number], len(piece)) for number, piece in pieces.items()], 2), listed
told = s3.list_multipart_uploads(Bucket="part-bucket")["Uploads"]
assert [(one["Key"], one["UploadId"]) for one in told] == [(at["Key"], at["UploadId"])], told
def complete(*numbers, tags=tags):
    return {"MultipartUpload": {"Parts": [{"PartNumber": number, "ETag": tags[number]} for number in numbers]}}
refused(s3.complete_multipart_upload, ("InvalidPartOrder",), **at, **complete(7, 1))
refused(s3.complete_multipart_upload, ("InvalidPart",), **at, **complete(1, 3, tags=tags | {3: tags[1]}))
refused(s3.complete_multipart_upload, ("InvalidPart",), **at, **complete(1, tags={1: tags[2]}))
refused(s3.complete_multipart_upload, ("EntityTooSmall",), **at, **complete(1, 2, 9))
done = s3.complete_multipart_upload(**at, **complete(1, 7, 9))
del at["UploadId"]
got = s3.get_object(**at)
assert done["ETag"] == got["ETag"] == md5(pieces[1], pieces[7], pieces[9]) and got["Body"].read() == pieces[1] + pieces[7] + pieces[9], done
assert "Uploads" not in s3.list_multipart_uploads(Bucket="part-bucket")
refused(s3.list_parts, ("NoSuchUpload",), **at, UploadId="upload-999")
# Tags: with an object, of a version, copied, replaced, deleted.
def tags_of(**at):
    return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(**at)["TagSet"]}
assert tags_of(**at) == {"kind": "mail", "of": "ann b"} and got["TagCount"] == 2, got
before = s3.head_object(**at)["VersionId"]
s3.copy_object(Bucket="part-bucket", Key="tags", CopySource={"Bucket": "part-bucket", "Key": at["Key"]})
s3.copy_object(Bucket="part-bucket", Key="no tags", CopySource={"Bucket": "part-bucket", "Key": at["Key"]}, TaggingDirective="REPLACE", Tagging="a=b")
assert tags_of(Bucket="part-bucket", Key="tags") == tags_of(**at) and tags_of(Bucket="part-bucket", Key="no tags") == {"a": "b"}
s3.put_object(**at, Body=b"", Tagging="x=y")
s3.put_object_tagging(**at, VersionId=before, Tagging={"TagSet": [{"Key": "<&>", "Value": "\u00e4"}]})
assert tags_of(**at, VersionId=before) == {"<&>": "\u00e4"} and tags_of(**at) == {"x": "y"}
s3.delete_object_tagging(**at)
assert tags_of(**at) == {} and "TagCount" not in s3.head_object(**at)
refused(s3.put_object_tagging, ("BadRequest",), **at, Tagging={"TagSet": [{"Key": str(n), "Value": ""} for n in range(11)]})
refused(s3.put_object_tagging, ("InvalidTag",), **at, Tagging={"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]})
refused(s3.get_object_tagging, ("NoSuchKey",), Bucket="part-bucket", Key="none")
refused(s3.get_bucket_tagging, ("NoSuchTagSet",), Bucket="part-bucket")
refused(s3.put_bucket_notification_configuration, ("NotImplemented",), Bucket="part-bucket", NotificationConfiguration={})
for bucket in ("part-bucket", "tag-bucket"):
    boto3.resource("s3").Bucket(bucket).object_versions.delete()
for bucket in ("my-bucket", "other-bucket"):
    boto3.resource("s3").Bucket(bucket).objects.filter(Prefix="big").delete()
    boto3.resource("s3").Bucket(bucket).objects.filter(Prefix="m").delete()
for key, code in (("nowhere", "InvalidContentLocation"), ("a.eml", "ValidationException")):
    try:
        flow.put_raw_message_content(messageId=name, content={"s3Reference": {"bucket": "my-bucket", "key": key}})
        raise SystemExit(f"{key} was taken")
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
flow.put_raw_message_content(messageId=name, content={"s3Reference": {"bucket": "my-bucket", "key": "a/b"}})
assert flow.get_raw_message_content(messageId=name)["messageContent"].read().startswith(b"X-Checked: yes")
s3.put_object(Bucket="my-bucket", Key="long", Body=raw + b"x" * 2000)
try:
    flow.put_raw_message_content(messageId=name, content={"s3Reference": {"bucket": "my-bucket", "key": "long"}})
    raise SystemExit("a long line was taken")
except flow.exceptions.MessageRejected:
    pass
try:
    flow.get_raw_message_content(messageId="nothing")
    raise SystemExit("nothing was there")
except flow.exceptions.ResourceNotFoundException:
    pass
"""


def boto3(program, folder):
    """No function is attached yet, so the message is in transit and can be put."""
    with Serve(program, folder, "--attach", "--rule-timeout", "120") as serve:
        number, name = send(serve.outbound, message("Harvest plan"))
        serve.wait(rf"^#{number} +waits for a function")
        done = subprocess.run([sys.executable, "-c", BOTO3, name], env=os.environ | aws_environment(serve), capture_output=True, text=True, timeout=120)
        expect(done.returncode == 0, done.stderr)
        # Answer as a function would; from then on the message is frozen.
        _, fields, body = http(serve.aws, "/2018-06-01/runtime/invocation/next")
        event = json.loads(body)
        expect(event["messageId"] == name and event["subject"] == "Harvest plan" and event["flowDirection"] == "OUTBOUND", event)
        request = fields["Lambda-Runtime-Aws-Request-Id"]
        answer = {"actions": [{"action": {"type": "DROP"}, "allRecipients": True}]}
        url = f"/2018-06-01/runtime/invocation/{request}/response"
        expect(http(serve.aws, url, "POST", json.dumps(answer).encode())[0] == 202, "the answer is taken")
        serve.wait(rf"^#{number} +outbound +rewritten +drop")
        expect(http(serve.aws, url, "POST", b"{}")[0] == 400, "a second answer is refused")
        put = json.dumps({"content": {"s3Reference": {"bucket": "my-bucket", "key": "a/b"}}}).encode()
        code, fields, _ = http(serve.aws, f"/messages/{name}", "POST", put)
        expect((code, fields["x-amzn-errortype"]) == (400, "MessageFrozen"), "it is frozen")


def aws_cli(program, folder):
    with Serve(program, folder, "--attach") as serve:
        _, name = send(serve.outbound, message("Harvest plan"))
        here = folder / "cli"
        here.mkdir()
        (here / "big").write_bytes(os.urandom(9_000_000))
        (here / "small").write_bytes(b"A small one\n")

        def aws(*arguments, fails=None):
            done = subprocess.run(["aws", *arguments], cwd=here, env=os.environ | aws_environment(serve), capture_output=True, text=True, timeout=120)
            expect((done.returncode != 0 and fails in done.stderr) if fails else done.returncode == 0, f"aws {arguments}: {done.stdout}{done.stderr}")
            return done.stdout

        aws("workmailmessageflow", "get-raw-message-content", "--message-id", name, "got.eml")
        expect((here / "got.eml").read_bytes() == message("Harvest plan"), "the message came as it was")
        aws("s3api", "put-object", "--bucket", "my-bucket", "--key", "a/b", "--body", "got.eml")
        aws("workmailmessageflow", "put-raw-message-content", "--message-id", name, "--content", "s3Reference={bucket=my-bucket,key=a/b}")
        aws("workmailmessageflow", "get-raw-message-content", "--message-id", "../../etc/passwd", "no", fails="ValidationException")
        aws("s3", "cp", "big", "s3://my-bucket/x/big", "--no-progress")
        aws("s3", "cp", "s3://my-bucket/x/big", "back", "--no-progress")
        expect((here / "big").read_bytes() == (here / "back").read_bytes(), "a large object comes back as it was")
        expect("PRE x/" in aws("s3", "ls", "s3://my-bucket/") and "my-bucket" in aws("s3", "ls"), "lists")
        aws("s3", "cp", "s3://my-bucket/x/big", "s3://my-bucket/y/big", "--no-progress")
        aws("s3", "mv", "s3://my-bucket/y/big", "s3://other-bucket/big", "--no-progress")
        aws("s3", "cp", "s3://other-bucket/big", "back", "--no-progress")
        expect((here / "big").read_bytes() == (here / "back").read_bytes(), "a copy in parts comes back as it was")
        aws("s3", "sync", "s3://my-bucket/", "synced", "--no-progress")
        expect(sorted(path.name for path in (here / "synced").rglob("*") if path.is_file()) == ["b", "big"], "a bucket is synced")
        aws("s3", "rm", "s3://other-bucket", "--recursive")
        aws("s3", "rb", "s3://other-bucket", fails="BucketNotEmpty")
        expect(len(json.loads(aws("s3api", "list-object-versions", "--bucket", "other-bucket"))["DeleteMarkers"]) == 1, "versions are listed")
        told = json.loads(aws("s3api", "put-object", "--bucket", "my-bucket", "--key", "small", "--body", "small", "--tagging", "kind=note"))
        expect(told["ETag"] == f'"{hashlib.md5((here / "small").read_bytes()).hexdigest()}"', told)
        expect("note" in aws("s3api", "get-object-tagging", "--bucket", "my-bucket", "--key", "small"), "tags are listed")
        begun = json.loads(aws("s3api", "create-multipart-upload", "--bucket", "my-bucket", "--key", "parts"))["UploadId"]
        of = ("--bucket", "my-bucket", "--key", "parts", "--upload-id", begun)
        part = json.loads(aws("s3api", "upload-part", *of, "--part-number", "1", "--body", "small"))
        listed = json.loads(aws("s3api", "list-parts", *of))["Parts"]
        expect([(one["PartNumber"], one["ETag"], one["Size"]) for one in listed] == [(1, part["ETag"], 12)], listed)
        aws("s3api", "complete-multipart-upload", *of, "--multipart-upload", json.dumps({"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}))
        aws("s3api", "list-parts", *of, fails="NoSuchUpload")
        expect(aws("s3", "cp", "s3://my-bucket/parts", "-") == "A small one\n", "an upload of one part")
        aws("s3api", "delete-objects", "--bucket", "my-bucket", "--delete", "Objects=[{Key=a/b}],Quiet=true")
        aws("s3api", "get-object", "--bucket", "my-bucket", "--key", "a/b", "no", fails="NoSuchKey")
        expect(json.loads(aws("s3api", "head-object", "--bucket", "my-bucket", "--key", "x/big"))["ContentLength"] == 9_000_000, "head")
        aws("s3api", "get-object", "--bucket", "my-bucket", "--key", "none", "no", fails="NoSuchKey")
